"""Folds in time: times stay whole, what is tested comes later, after the gap that was asked for."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.data.dataset import Dataset, prepare_data
from foldproof.tasks.folds.split.plan import FoldPlan, plan_folds
from tests.support.inputs import Prepare

ROWS = 60
RANDOM = np.random.default_rng(0)
X, NUMBERS = RANDOM.normal(size=(ROWS, 2)), RANDOM.normal(size=ROWS)
LATE = np.where(np.arange(ROWS) < 25, "a", np.where(np.arange(ROWS) % 2, "b", "a"))
DAYS = np.sort([*range(20), *RANDOM.integers(0, 20, 40)])  # 20 times of some rows each

Sides = list[tuple[list[int], list[int]]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "folds").mkdir()
    return tmp_path / "folds"


def plan(dataset: Dataset, folder: Path, **split: Any) -> FoldPlan:
    return plan_folds(dataset, SplitSpec(**split), 7, folder)


def sides(made: FoldPlan) -> Sides:
    return [
        (np.load(fold.train_path).tolist(), np.load(fold.test_path).tolist()) for fold in made.folds
    ]


def refused(dataset: Dataset, folder: Path, **split: Any) -> str:
    with pytest.raises(InputError) as caught:
        plan(dataset, folder, **split)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def reference(splitter: Any, times: int) -> Sides:
    return [(train.tolist(), test.tolist()) for train, test in splitter.split(np.zeros((times, 1)))]


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ({"n_splits": 5}, TimeSeriesSplit(5)),
        ({"n_splits": 5, "gap": 3}, TimeSeriesSplit(5, gap=3)),
        ({"n_splits": 3, "test_size": 7}, TimeSeriesSplit(3, test_size=7)),
        ({"n_splits": 3, "test_size": 0.2}, TimeSeriesSplit(3, test_size=12)),
        ({"n_splits": 3, "test_size": 0.1}, TimeSeriesSplit(3, test_size=6)),
        ({"n_splits": 4, "window": 9, "gap": 1}, TimeSeriesSplit(4, max_train_size=9, gap=1)),
        ({"n_splits": 4, "window": "sliding"}, TimeSeriesSplit(4, max_train_size=12)),
        (
            {"n_splits": 2, "window": "sliding", "test_size": 10, "gap": 5},
            TimeSeriesSplit(2, max_train_size=35, test_size=10, gap=5),
        ),
    ],
    ids=str,
)
def test_folds_of_single_times_are_scikit_learns(
    prepare: Prepare, folder: Path, split: Any, expected: Any
) -> None:
    for time in (None, np.arange(ROWS)):
        data = prepare(DataSpec.from_arrays(X, NUMBERS, time=time))
        made = plan(data, folder, method="time_series", **split)
        assert sides(made) == reference(expected, ROWS)
        assert made.in_order
        assert made.notices == ()


def test_with_times_they_are_the_default_and_nothing_else_may_divide_them(
    prepare: Prepare, folder: Path
) -> None:
    data = prepare(DataSpec.from_arrays(X, NUMBERS, time=DAYS))
    assert plan(data, folder, n_splits=4).method == "time_series"
    problem = "split.method: kfold would train on later times than it tests; use time_series, or"
    assert refused(data, folder, method="kfold").startswith(problem)
    problem = "split.n_repeats: time_series is the same every time; set it to 1"
    assert refused(data, folder, n_repeats=2) == problem


@given(
    st.lists(st.integers(0, 12), min_size=12, max_size=60),
    st.integers(2, 4),
    st.integers(0, 3),
    st.sampled_from(["expanding", "sliding", 2]),
    st.booleans(),
)
@settings(deadline=None, max_examples=60, database=None, derandomize=True)
def test_times_and_groups_stay_whole_and_tests_come_later(
    times: list[int], n_splits: int, gap: int, window: Any, grouped: bool
) -> None:
    groups = [(7 * row) % 11 for row in range(len(times))] if grouped else None
    values = np.arange(len(times)) + 0.5
    spec = DataSpec.from_arrays(np.zeros((len(times), 1)), values, time=times, groups=groups)
    with tempfile.TemporaryDirectory() as name:
        dataset = prepare_data(spec, None, Path(name))
        split: Any = {"n_splits": n_splits, "gap": gap, "window": window}
        try:
            made = sides(plan(dataset, Path(name), **split))
        except InputError:  # too few times or groups
            return
        codes = dataset.array("times.npy")
        of_group = dataset.array("groups.npy")
        assert codes is not None
        for train, test in made:
            assert codes[train].max() + gap < codes[test].min()
            whole = np.flatnonzero(np.isin(codes, codes[test]))
            assert test == whole.tolist()
            if of_group is not None:
                assert not set(of_group[train]) & set(of_group[test])
        tested = [row for _, test in made for row in test]
        assert len(tested) == len(set(tested))


def test_earlier_rows_of_tested_groups_are_left_out_and_that_is_said(
    prepare: Prepare, folder: Path
) -> None:
    groups = [0, 0, 1, 2, 1, 2, 3, 3, 0, 4, 5, 4]
    data = prepare(DataSpec.from_arrays(X[:12], NUMBERS[:12], groups=groups))
    made = plan(data, folder, method="time_series", n_splits=3)
    assert sides(made) == [
        ([0, 1], [3, 4, 5]),
        ([2, 3, 4, 5], [6, 7, 8]),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11]),
    ]
    assert made.notices == (
        "3 of 18 training rows of the folds are left out, as later rows of their groups are tested "
        "there",
    )


@pytest.mark.parametrize(
    ("split", "problem"),
    [
        ({"n_splits": 20}, "split.n_splits: 20 folds of 20 times; use fewer"),
        (
            {"n_splits": 4, "gap": 5},
            "split.gap: 4 folds that test 4 times each after a gap of 5 need 22 times, but there "
            "are 20; lower it, or use fewer folds",
        ),
        (
            {"n_splits": 4, "test_size": 5},
            "split.test_size: 4 folds that test 5 times each need 21 times, but there are 20; "
            "lower it, or use fewer folds",
        ),
    ],
    ids=str,
)
def test_too_few_times_are_refused(
    prepare: Prepare, folder: Path, split: Any, problem: str
) -> None:
    assert refused(prepare(DataSpec.from_arrays(X, NUMBERS, time=DAYS)), folder, **split) == problem


def test_a_group_that_is_always_there_leaves_nothing_to_train_on(
    prepare: Prepare, folder: Path
) -> None:
    data = prepare(DataSpec.from_arrays(X, NUMBERS, time=DAYS, groups=np.zeros(ROWS)))
    assert refused(data, folder, n_splits=3) == (
        "data.groups: fold 0 tests a row of every group that came before; use fewer folds or a "
        "smaller split.test_size, or leave data.groups out"
    )


OWN = """
import numpy as np

class Torn:
    def split(self, X, y=None, groups=None):
        yield np.arange(0, len(X), 2), np.arange(1, len(X), 2)

class Back:
    def split(self, X, y=None, groups=None):
        yield np.arange(30, len(X)), np.arange(0, 30)

class Forward:
    def split(self, X, y=None, groups=None):
        yield np.arange(0, 20), np.arange(20, 60)
"""


def test_own_splitters_are_checked_as_they_are(prepare: Prepare, folder: Path, here: Path) -> None:
    (here / "own_times.py").write_text(OWN)
    data = prepare(DataSpec.from_arrays(X, NUMBERS, time=np.arange(ROWS) // 2))
    assert refused(data, folder, method="own_times:Torn") == (
        "split.method: fold 0 has rows of one time on both sides; keep them together"
    )
    assert plan(data, folder, method="own_times:Back").notices == (
        "1 of 1 folds train on later times than they test, by split.method",
    )
    late = prepare(DataSpec.from_arrays(X, LATE, time=np.arange(ROWS)))
    assert refused(late, folder, method="own_times:Forward") == (
        "split.method: fold 0 has no training row of class 'b'; it begins in row 25 of 60 in the "
        "order of time; let the first fold test later rows, or leave the class out"
    )


def test_a_class_that_begins_late_gets_advice_that_works(prepare: Prepare, folder: Path) -> None:
    data = prepare(DataSpec.from_arrays(X, LATE, time=np.arange(ROWS)))
    begins = "fold 0 has no training row of class 'b'; it begins in row 25 of 60 in the order of"
    problem = refused(data, folder, n_splits=6, test_size=8)
    assert problem == f"split.method: {begins} time; set split.n_splits to 4 or fewer"
    assert plan(data, folder, n_splits=4, test_size=8)
    assert "no training row" in refused(data, folder, n_splits=5, test_size=8)
    assert "stratified" not in refused(data, folder, n_splits=6)


def test_a_class_before_the_window_gets_advice_of_its_own(prepare: Prepare, folder: Path) -> None:
    early = np.where(np.arange(ROWS) < 8, "a", np.where(np.arange(ROWS) % 2, "b", "c"))
    data = prepare(DataSpec.from_arrays(X, early))
    problem = refused(data, folder, method="time_series", n_splits=4, window="sliding")
    assert problem.endswith(
        "it begins in row 0 of 60, before the window; set split.window to expanding, or to more"
    )
    assert plan(data, folder, method="time_series", n_splits=4)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"gap": 2}, "split.gap: auto without data.time ignores it; only time_series reads it"),
        ({"gap": 2, "method": "kfold"}, "split.gap: kfold ignores it; only time_series reads it"),
        (
            {"window": 5, "method": "a.b:C"},
            "split.window: a.b:C ignores it; only time_series reads",
        ),
        (
            {"test_size": 9, "method": "kfold"},
            "split.test_size: kfold ignores it; only shuffle spl",
        ),
        ({"window": "rolling"}, "split.window: must be 'expanding' or 'sliding' or a whole number"),
        ({"gap": -1}, "split.gap: must be"),
        ({"test_size": 1.5}, "split.test_size: must be a whole number or less than 1, not 1.5"),
    ],
    ids=str,
)
def test_settings_without_effect_are_refused(given: Any, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_study({"split": given})
    assert str(caught.value).startswith(problem)
