"""The inner split of early stopping is scikit-learn's, by the rule of the outer one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import model_selection

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.folds.split.holdout import inner_rule, inner_split
from foldproof.tasks.training.fold_data import training_data
from tests.support.inputs import Prepare
from tests.support.reports import REGRESSOR, prepared, settings

RANDOM = np.random.default_rng(3)
CODES = RANDOM.integers(0, 3, 50)
GROUPS = RANDOM.integers(0, 12, 50)
REFERENCES = [
    ("stratified", model_selection.StratifiedShuffleSplit),
    ("plain", model_selection.ShuffleSplit),
    ("groups", model_selection.GroupShuffleSplit),
]


@pytest.mark.parametrize(("rule", "reference"), REFERENCES)
@pytest.mark.parametrize("fraction", [0.2, 0.35])
def test_rows_are_those_of_scikit_learn(rule: str, reference: Any, fraction: float) -> None:
    splitter = reference(n_splits=1, test_size=fraction, random_state=11)
    groups = GROUPS if rule == "groups" else None
    train, held = next(splitter.split(np.zeros((50, 1)), CODES, groups))
    found = inner_split(rule, fraction, 11, CODES, groups)
    np.testing.assert_array_equal(found[0], np.sort(train))
    np.testing.assert_array_equal(found[1], np.sort(held))


@pytest.mark.parametrize("rule", ["stratified", "plain", "groups", "last"])
def test_sides_part_the_rows_in_ascending_order(rule: str) -> None:
    train, held = inner_split(rule, 0.3, 5, CODES, GROUPS)
    assert sorted([*train, *held]) == list(range(50))
    assert list(train) == sorted(train)
    assert list(held) == sorted(held)


def test_groups_stay_whole() -> None:
    train, held = inner_split("groups", 0.3, 5, CODES, GROUPS)
    assert not set(GROUPS[train]) & set(GROUPS[held])


@pytest.mark.parametrize(("rows", "fraction", "held"), [(10, 0.2, 2), (11, 0.2, 3), (3, 0.1, 1)])
def test_last_holds_out_the_end_rounded_up(rows: int, fraction: float, held: int) -> None:
    train, last = inner_split("last", fraction, 0, np.zeros(rows), None)
    assert list(last) == list(range(rows - held, rows))
    assert list(train) == list(range(rows - held))


def test_seed_counts_but_only_where_rows_are_drawn() -> None:
    for rule in ("stratified", "plain", "groups"):
        one, other = (inner_split(rule, 0.3, seed, CODES, GROUPS)[1] for seed in (1, 2))
        assert list(one) != list(other)
    one, other = (inner_split("last", 0.3, seed, CODES, None)[1] for seed in (1, 2))
    assert list(one) == list(other)


@pytest.mark.parametrize(
    ("rule", "codes", "groups"),
    [
        ("stratified", np.array([0, 0, 0, 1]), None),
        ("groups", np.zeros(5), np.zeros(5)),
        ("plain", np.zeros(1), None),
        ("last", np.zeros(1), None),
    ],
)
def test_rows_that_cannot_be_divided_are_refused(rule: str, codes: Any, groups: Any) -> None:
    with pytest.raises(InputError, match=r"^train\.early_stopping\.fraction: ") as caught:
        inner_split(rule, 0.2, 0, codes, groups)
    assert "\n" not in str(caught.value)


def test_rule_keeps_what_the_outer_method_promises(prepare: Prepare) -> None:
    X, y, groups = np.zeros((4, 1)), ["a", "b"] * 2, [1, 2, 3, 4]
    classes = prepare(DataSpec.from_arrays(X, y))
    numbers = prepare(DataSpec.from_arrays(X, [0.5, 1, 2, 3]))
    grouped = prepare(DataSpec.from_arrays(X, y, groups=groups))
    assert inner_rule(classes, "stratified_kfold") == "stratified"
    assert inner_rule(classes, "kfold") == "stratified"
    assert inner_rule(numbers, "kfold") == "plain"
    assert inner_rule(grouped, "group_kfold") == "groups"
    assert inner_rule(grouped, "predefined") == "groups"
    assert inner_rule(numbers, "time_series") == inner_rule(classes, "time_series") == "last"


OWN = """
import numpy as np

class Forward:
    def split(self, X, y=None, groups=None):
        rows = np.arange(len(X))
        for begin in (40, 60, 80):  # what is tested comes after all that is trained on
            yield rows[:begin], rows[begin : begin + 20]

class Around(Forward):
    def split(self, X, y=None, groups=None):
        rows = np.arange(len(X))
        yield rows[20:], rows[:20]  # but for the first fold
        yield from super().split(X)
"""
IN_PAIRS = [row // 2 for row in range(100)]
ENDS = [list(range(begin - begin // 5, begin)) for begin in (40, 60, 80)]


def watched(folder: Path, **given: Any) -> list[list[int]]:
    """Return which rows early stopping watches in each fold of 100 rows."""
    (folder / "forward.py").write_text(OWN)
    columns = {"y": [0.5 * (row % 7) for row in range(100)], **given.pop("columns", {})}
    data = DataSpec.from_arrays(np.arange(100.0).reshape(-1, 1), **columns)
    train = {"scaler": "none", "early_stopping": {"fraction": 0.2}}
    sections = {"data": data, "train": train, "model": REGRESSOR, **given}
    with prepared(settings(folder / "out", **sections)) as run:
        held = [training_data(job).held_out for job in run.jobs]
    return [part.features[:, 0].astype(int).tolist() for part in held if part is not None]


@pytest.mark.parametrize("groups", [None, IN_PAIRS])
def test_an_own_splitter_in_the_order_of_the_rows_has_the_last_ones_held_out(
    here: Path, groups: Any
) -> None:
    columns = {} if groups is None else {"groups": groups}
    assert watched(here, columns=columns, split={"method": "forward:Forward"}) == ENDS


def test_an_own_splitter_that_also_trains_on_later_rows_has_any_held_out(here: Path) -> None:
    found = watched(here, split={"method": "forward:Around"})
    assert [len(rows) for rows in found] == [16, 8, 12, 16]
    assert not any(rows == end for rows, end in zip(found[1:], ENDS, strict=True))


def test_groups_that_overlap_in_time_stay_whole_and_the_latest_are_held_out() -> None:
    groups = np.array([0, 1, 0, 2, 1, 3, 2, 3])
    train, held = inner_split("last_groups", 0.4, 0, np.zeros(8), groups)
    assert (train.tolist(), held.tolist()) == ([0, 1, 2, 4], [3, 5, 6, 7])
    with pytest.raises(InputError, match=r"\(only one group\)$"):
        inner_split("last_groups", 0.4, 0, np.zeros(8), np.zeros(8, dtype=np.int64))


TIMES = np.array([0, 0, 1, 2, 2, 2, 3, 4, 4, 5])


@pytest.mark.parametrize(
    ("fraction", "gap", "train", "held"),
    [
        (0.1, 0, 9, 9),
        (0.2, 0, 7, 7),  # the whole of time 4
        (0.3, 0, 7, 7),
        (0.4, 1, 3, 6),
        (0.5, 0, 3, 3),
        (0.95, 0, 2, 2),  # never all times
    ],
)
def test_the_last_times_are_held_out_whole_after_the_gap(
    fraction: float, gap: int, train: int, held: int
) -> None:
    inner, last = inner_split("last_times", fraction, 0, np.zeros(10), None, TIMES, gap)
    assert (inner.tolist(), last.tolist()) == (list(range(train)), list(range(held, 10)))


def test_groups_of_the_last_times_are_not_trained_on() -> None:
    groups = np.array([0, 1, 2, 3, 4, 5, 6, 0, 2, 7])
    inner, held = inner_split("last_times_groups", 0.2, 0, np.zeros(10), groups, TIMES)
    assert (inner.tolist(), held.tolist()) == ([1, 3, 4, 5, 6], [7, 8, 9])
    with pytest.raises(InputError, match=r"fraction: holds out rows of every group that comes"):
        inner_split("last_times_groups", 0.2, 0, np.zeros(10), np.zeros(10, np.int64), TIMES)


def test_without_times_a_gap_is_of_rows() -> None:
    inner, held = inner_split("last", 0.2, 0, np.zeros(10), None, None, 3)
    assert (inner.tolist(), held.tolist()) == (list(range(5)), [8, 9])


@pytest.mark.parametrize(
    ("times", "gap"), [(np.zeros(10), 0), (TIMES, 5), (np.repeat([0, 1], 5), 1)], ids=str
)
def test_times_that_cannot_be_divided_are_refused(times: Any, gap: int) -> None:
    with pytest.raises(InputError, match=r"fraction: leaves no row to train on; lower it$"):
        inner_split("last_times", 0.2, 0, np.zeros(10), None, times, gap)


def test_rows_with_times_have_the_last_times_held_out_whatever_the_method(
    prepare: Prepare,
) -> None:
    X, y = np.zeros((4, 1)), ["a", "b"] * 2
    timed = prepare(DataSpec.from_arrays(X, y, time=[1, 2, 3, 4]))
    both = prepare(DataSpec.from_arrays(X, y, time=[1, 2, 3, 4], groups=[1, 1, 2, 2]))
    grouped = prepare(DataSpec.from_arrays(X, y, groups=[1, 1, 2, 2]))
    assert inner_rule(timed, "time_series") == inner_rule(timed, "predefined") == "last_times"
    assert inner_rule(both, "time_series") == "last_times_groups"
    assert inner_rule(grouped, "time_series") == "last_times_groups"


def test_early_stopping_never_watches_a_time_that_it_trains_on(here: Path) -> None:
    days = [row // 7 for row in range(100)]
    found = watched(here, columns={"time": days}, split={"n_splits": 3, "gap": 1})
    assert found == [list(range(28, 35)), list(range(42, 56)), list(range(56, 77))]
