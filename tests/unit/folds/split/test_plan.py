"""Folds are scikit-learn's, on disk, and keep every promise of their method."""

import itertools
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyarrow import csv
from sklearn import model_selection

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.data.dataset import Dataset, prepare_data
from foldproof.tasks.folds.split.plan import FoldPlan, plan_folds
from foldproof.tasks.folds.split.splitters import make_splitter, resolve_method
from tests.support.inputs import Prepare

SEED = 7
ROWS = 60
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, 2))
LABELS = RANDOM.permutation(np.repeat(["a", "b", "c"], (30, 20, 10)))
NUMBERS = RANDOM.normal(size=ROWS)
GROUPS = RANDOM.integers(0, 15, ROWS)

Sides = list[tuple[list[int], list[int]]]


@pytest.fixture
def classes(prepare: Prepare) -> Dataset:
    return prepare(DataSpec.from_arrays(X, LABELS))


@pytest.fixture
def numbers(prepare: Prepare) -> Dataset:
    return prepare(DataSpec.from_arrays(X, NUMBERS))


@pytest.fixture
def grouped(prepare: Prepare) -> Dataset:
    return prepare(DataSpec.from_arrays(X, LABELS, groups=GROUPS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for the rows of one plan."""
    (tmp_path / "folds").mkdir()
    return tmp_path / "folds"


def plan(dataset: Dataset, folder: Path, seed: int = SEED, **split: Any) -> FoldPlan:
    return plan_folds(dataset, SplitSpec(**split), seed, folder)


def sides(made: FoldPlan) -> Sides:
    return [
        (np.load(fold.train_path).tolist(), np.load(fold.test_path).tolist()) for fold in made.folds
    ]


def reference(splitter: Any, codes: NDArray[Any], groups: NDArray[Any] | None = None) -> Sides:
    divided = splitter.split(np.zeros((len(codes), 1)), codes, groups)
    return [(sorted(train.tolist()), sorted(test.tolist())) for train, test in divided]


def codes_of(labels: NDArray[Any]) -> NDArray[Any]:
    return np.searchsorted(np.unique(labels), labels)


def refused(dataset: Dataset, folder: Path, **split: Any) -> str:
    with pytest.raises(InputError) as caught:
        plan(dataset, folder, **split)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


SHUFFLED = [
    ("kfold", model_selection.KFold),
    ("stratified_kfold", model_selection.StratifiedKFold),
    ("group_kfold", model_selection.GroupKFold),
    ("stratified_group_kfold", model_selection.StratifiedGroupKFold),
]


@pytest.mark.parametrize(("method", "splitter"), SHUFFLED)
def test_repeats_are_those_of_scikit_learn_with_seed_plus_repeat(
    classes: Dataset, grouped: Dataset, folder: Path, method: str, splitter: Any
) -> None:
    by_group = "group" in method
    made = plan(grouped if by_group else classes, folder, method=method, n_splits=4, n_repeats=3)
    expected: Sides = []
    for repeat in range(3):
        one = splitter(n_splits=4, shuffle=True, random_state=SEED + repeat)
        expected += reference(one, codes_of(LABELS), GROUPS if by_group else None)
    assert sides(made) == expected
    places = [(fold.repeat, fold.fold) for fold in made.folds]
    assert places == list(itertools.product(range(3), range(4)))
    assert (made.method, made.repeats, made.per_repeat()) == (method, 3, 4)


@pytest.mark.parametrize(("method", "splitter"), SHUFFLED)
def test_unshuffled_folds_are_those_of_scikit_learn(
    classes: Dataset, grouped: Dataset, folder: Path, method: str, splitter: Any
) -> None:
    by_group = "group" in method
    made = plan(grouped if by_group else classes, folder, method=method, n_splits=3, shuffle=False)
    groups = GROUPS if by_group else None
    assert sides(made) == reference(splitter(n_splits=3), codes_of(LABELS), groups)


@pytest.mark.parametrize(
    ("method", "splitter"),
    [
        ("shuffle_split", model_selection.ShuffleSplit),
        ("stratified_shuffle_split", model_selection.StratifiedShuffleSplit),
    ],
)
def test_shuffle_splits_are_those_of_scikit_learn(
    classes: Dataset, folder: Path, method: str, splitter: Any
) -> None:
    made = plan(classes, folder, method=method, n_splits=3, n_repeats=2, test_size=0.25)
    expected: Sides = []
    for repeat in range(2):
        one = splitter(n_splits=3, test_size=0.25, random_state=SEED + repeat)
        expected += reference(one, codes_of(LABELS))
    assert sides(made) == expected


def test_time_series_never_trains_on_what_comes_later(numbers: Dataset, folder: Path) -> None:
    made = sides(plan(numbers, folder, method="time_series", n_splits=5))
    assert made == reference(model_selection.TimeSeriesSplit(5), NUMBERS)
    assert all(max(train) < min(test) for train, test in made)


def test_leave_one_out_ignores_the_number_of_splits(numbers: Dataset, folder: Path) -> None:
    made = sides(plan(numbers, folder, method="leave_one_out", n_splits=2))
    assert made == reference(model_selection.LeaveOneOut(), NUMBERS)
    assert [test for _, test in made] == [[row] for row in range(ROWS)]


def predefined(folder: Path, folds: Any, groups: Any = None) -> Dataset:
    """Write a table with a fold for each row, and prepare it."""
    columns = {"x": range(len(folds)), "fold": folds, "y": NUMBERS[: len(folds)]}
    table = pa.table(columns if groups is None else {**columns, "g": groups})
    csv.write_csv(table, folder / "data.csv")
    name = None if groups is None else "g"
    spec = DataSpec(source=str(folder / "data.csv"), target="y", groups=name)
    return prepare_data(spec, "fold", folder)


@pytest.mark.parametrize(
    "folds", [["b", "a", "c", "a", "b"], [10, 9, 11, 9, 10], [2.5, -1.0, 9.0, -1.0, 2.5]], ids=str
)
def test_predefined_folds_are_the_sorted_values_of_their_column(folder: Path, folds: Any) -> None:
    data = predefined(folder, folds)
    made = sides(plan(data, folder, method="predefined", fold_column="fold"))
    assert made == [([0, 2, 4], [1, 3]), ([1, 2, 3], [0, 4]), ([0, 1, 3, 4], [2])]


def test_predefined_folds_must_be_two_and_keep_groups(folder: Path) -> None:
    split: dict[str, Any] = {"method": "predefined", "fold_column": "fold"}
    one = predefined(folder, [3, 3, 3])
    problem = "split.fold_column: holds one value only; two folds are needed"
    assert refused(one, folder, **split) == problem
    torn = predefined(folder, [0, 1, 0], groups=[1, 1, 2])
    assert "fold 0 has groups on both sides; keep them whole" in refused(torn, folder, **split)
    whole = predefined(folder, [0, 1, 0], groups=[1, 2, 3])
    assert len(plan(whole, folder, **split).folds) == 2


@pytest.mark.parametrize("method", ["auto", "group_kfold", "stratified_group_kfold"])
def test_groups_are_never_split(grouped: Dataset, folder: Path, method: str) -> None:
    for train, test in sides(plan(grouped, folder, method=method, n_splits=5, n_repeats=2)):
        assert not set(GROUPS[train]) & set(GROUPS[test])


def test_auto_follows_the_data(
    classes: Dataset, numbers: Dataset, grouped: Dataset, prepare: Prepare
) -> None:
    grouped_numbers = prepare(DataSpec.from_arrays(X, NUMBERS, groups=GROUPS))
    auto = SplitSpec()
    assert resolve_method(auto, classes) == "stratified_kfold"
    assert resolve_method(auto, numbers) == "kfold"
    assert resolve_method(auto, grouped) == "stratified_group_kfold"
    assert resolve_method(auto, grouped_numbers) == "group_kfold"


@pytest.mark.parametrize(
    "split",
    [{"n_splits": 4, "n_repeats": 2}, {"method": "leave_one_out"}, {"method": "kfold"}],
    ids=str,
)
def test_partitions_test_every_row_once_a_repeat(
    classes: Dataset, folder: Path, split: dict[str, Any]
) -> None:
    made = plan(classes, folder, **split)
    for repeat in range(made.repeats):
        tested = [np.load(fold.test_path).tolist() for fold in made.folds if fold.repeat == repeat]
        assert sorted(itertools.chain(*tested)) == list(range(ROWS))


@pytest.mark.parametrize(
    "method", ["kfold", "stratified_kfold", "shuffle_split", "time_series", "leave_one_out"]
)
def test_rows_ascend_part_and_count(classes: Dataset, folder: Path, method: str) -> None:
    made = plan(classes, folder, method=method, n_splits=3)
    for fold, (train, test) in zip(made.folds, sides(made), strict=True):
        assert (fold.n_train, fold.n_test) == (len(train), len(test))
        assert train == sorted(set(train))
        assert test == sorted(set(test))
        assert not set(train) & set(test)
        assert np.load(fold.train_path).dtype == np.load(fold.test_path).dtype == np.int64


def test_positive_label_does_not_move_rows(prepare: Prepare, tmp_path: Path) -> None:
    two = np.where(LABELS == "a", "x", "y")
    made = []
    for label in "xy":
        (tmp_path / label).mkdir()
        data = prepare(DataSpec.from_arrays(X, two, positive=label))
        made.append(sides(plan(data, tmp_path / label, n_splits=3)))
    assert made[0] == made[1]


def test_digest_is_that_of_the_rows(classes: Dataset, tmp_path: Path) -> None:
    digests = []
    for name, seed, method in (("a", 1, "kfold"), ("b", 1, "kfold"), ("c", 2, "kfold")):
        (tmp_path / name).mkdir()
        digests.append(plan(classes, tmp_path / name, seed=seed, method=method).digest)
    assert digests[0] == digests[1] != digests[2]


def test_folds_of_a_plan_have_digests_of_their_own(classes: Dataset, folder: Path) -> None:
    made = plan(classes, folder, n_splits=4, n_repeats=2)
    assert len({fold.digest for fold in made.folds}) == 8


OWN = """
import numpy as np
from sklearn.model_selection import KFold

class Halves:
    def split(self, X, y=None, groups=None):
        rows = np.arange(len(X))
        yield rows[1::2][::-1], rows[::2][::-1]

class Grouped:
    def __init__(self, n_splits=3):
        self.n_splits = n_splits
    def split(self, X, y=None, groups=None):
        assert groups is not None
        for group in np.unique(groups)[: self.n_splits]:
            yield np.flatnonzero(groups != group), np.flatnonzero(groups == group)

class Shuffled(KFold):
    pass

class Bootstrap:
    def __init__(self, random_state=None, test_size=None):
        self.random = np.random.default_rng(random_state)
    def split(self, X, y=None, groups=None):
        train = self.random.integers(0, len(X), len(X))
        yield train, np.setdiff1d(np.arange(len(X)), train)

class Bad:
    def split(self, X, y=None, groups=None):
        yield from self.make(len(X))

class Beyond(Bad):
    def make(self, n): yield np.arange(n), np.array([n])

class Negative(Bad):
    def make(self, n): yield np.arange(n - 1), np.array([-1])

class Mask(Bad):
    def make(self, n): yield np.arange(n) > 9, np.arange(n) < 10

class Fractions(Bad):
    def make(self, n): yield np.arange(10.0, n), np.arange(10.0)

class Twice(Bad):
    def make(self, n): yield np.arange(10, n), np.array([1, 1, 2])

class Leaky(Bad):
    def make(self, n): yield np.arange(n), np.arange(5)

class NoTest(Bad):
    def make(self, n): yield np.arange(n), []

class NoTrain(Bad):
    def make(self, n): yield [], np.arange(n)

class NoFolds(Bad):
    def make(self, n): return iter(())

class NoPair(Bad):
    def make(self, n): yield 5

class Ragged(Bad):
    def make(self, n): yield [[1, 2], [3]], [0]

class Fails(Bad):
    def make(self, n): raise RuntimeError("two\\nlines")

class NoSplit:
    pass

class Unmakable:
    def __init__(self, size): ...

class Fussy:
    def __init__(self): raise ValueError("two\\nlines")

NUMBER = 5
"""


@pytest.fixture
def own(here: Path) -> None:
    (here / "own_splitter.py").write_text(OWN, encoding="utf-8")


@pytest.mark.usefixtures("own")
def test_own_splitter_is_found_in_the_working_directory(numbers: Dataset, folder: Path) -> None:
    made = plan(numbers, folder, method="own_splitter:Halves")
    odd, even = list(range(1, ROWS, 2)), list(range(0, ROWS, 2))
    assert (made.method, sides(made)) == ("own_splitter:Halves", [(odd, even)])


@pytest.mark.usefixtures("own")
def test_own_splitter_gets_the_settings_that_it_takes(classes: Dataset, folder: Path) -> None:
    made = sides(plan(classes, folder, method="own_splitter:Shuffled", n_splits=3, n_repeats=2))
    expected = [
        side
        for seed in (SEED, SEED + 1)
        for side in reference(model_selection.KFold(3, shuffle=True, random_state=seed), LABELS)
    ]
    assert made == expected


@pytest.mark.usefixtures("own")
def test_own_splitter_gets_the_groups(grouped: Dataset, folder: Path) -> None:
    made = sides(plan(grouped, folder, method="own_splitter:Grouped", n_splits=4))
    assert [test for _, test in made] == [np.flatnonzero(g == GROUPS).tolist() for g in range(4)]


@pytest.mark.usefixtures("own")
def test_own_bootstrap_may_train_on_a_row_twice(numbers: Dataset, folder: Path) -> None:
    made = sides(plan(numbers, folder, method="own_splitter:Bootstrap", n_repeats=2))
    assert all(len(train) == ROWS > len(set(train)) for train, _ in made)
    assert made[0] != made[1]


def test_splitter_of_scikit_learn_may_be_named_by_its_path(grouped: Dataset, folder: Path) -> None:
    method = "sklearn.model_selection:GroupShuffleSplit"
    made = sides(plan(grouped, folder, method=method, n_splits=3, test_size=0.3))
    splitter = model_selection.GroupShuffleSplit(3, test_size=0.3, random_state=SEED)
    assert made == reference(splitter, codes_of(LABELS), GROUPS)


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Beyond", "fold 0 has row numbers outside 0 to 59; leave them out"),
        ("Negative", "fold 0 has row numbers outside 0 to 59; leave them out"),
        ("Mask", "fold 0 holds bool; let split yield the numbers of rows"),
        ("Fractions", "fold 0 holds float64; let split yield the numbers of rows"),
        ("Twice", "fold 0 tests a row twice; name each once"),
        ("Leaky", "fold 0 trains on rows that it tests; part them"),
        ("NoTest", "fold 0 has no test rows; use other splits"),
        ("NoTrain", "fold 0 has no training rows; use other splits"),
        ("NoFolds", "own_splitter:NoFolds made no folds; let split yield some"),
        ("NoPair", "fold 0 is no pair of row numbers; let split yield train and test"),
        ("Ragged", "fold 0 is no pair of row numbers; let split yield train and test"),
        ("Fails", "own_splitter:Fails cannot divide this data (two); use another one"),
        ("NoSplit", "own_splitter:NoSplit cannot divide this data ('NoSplit' object has no"),
        ("Unmakable", "own_splitter:Unmakable cannot be made ("),
        ("Fussy", "own_splitter:Fussy cannot be made (two lines); give its arguments defaults"),
        ("NUMBER", "module 'own_splitter' has no class 'NUMBER'; check the name"),
        ("Nothing", "module 'own_splitter' has no class 'Nothing'; check the name"),
    ],
)
def test_own_splitters_that_break_a_promise_are_refused(
    numbers: Dataset, folder: Path, name: str, problem: str
) -> None:
    found = refused(numbers, folder, method=f"own_splitter:{name}")
    assert found.startswith(f"split.method: {problem}")


@pytest.mark.usefixtures("own")
def test_own_splitter_without_a_seed_cannot_repeat(numbers: Dataset, folder: Path) -> None:
    for split in (
        {"method": "own_splitter:Halves"},
        {"method": "own_splitter:Shuffled", "shuffle": False},
    ):
        problem = refused(numbers, folder, n_repeats=2, **split)
        assert problem.startswith("split.n_repeats: own_splitter:")
        assert problem.endswith("takes no random_state; set it to 1")


@pytest.mark.parametrize(
    ("source", "reason"),
    [("import os\nos.nothing\n", "AttributeError"), ("def (:\n", "SyntaxError")],
)
def test_error_of_an_own_module_is_told(
    numbers: Dataset, folder: Path, here: Path, source: str, reason: str
) -> None:
    module = f"broken_{reason.lower()}"
    (here / f"{module}.py").write_text(source)
    found = refused(numbers, folder, method=f"{module}:Splitter")
    assert found.startswith(f"split.method: cannot import {module!r} ({reason}: ")


def test_working_directory_does_not_stay_on_the_path(here: Path) -> None:
    before = list(sys.path)
    with pytest.raises(InputError, match="cannot import"):
        make_splitter(SplitSpec(), "no_such_module:Splitter", 0)
    assert sys.path == before


@pytest.mark.parametrize(
    ("data", "split", "problem"),
    [
        ("numbers", {"method": "stratified_kfold"}, "split.method: stratified_kfold needs classes"),
        ("classes", {"method": "group_kfold"}, "data.groups: missing; group_kfold needs the col"),
        ("grouped", {"method": "kfold"}, "split.method: kfold would split groups; use group_kfold"),
        ("grouped", {"method": "leave_one_out"}, "split.method: leave_one_out would split groups"),
        ("numbers", {"n_splits": 61}, "split.n_splits: 61 folds of 60 rows; use fewer"),
        ("classes", {"n_splits": 11}, "split.n_splits: 11 folds, but class 'c' has only 10 rows"),
        ("numbers", {"method": "time_series", "n_splits": 60}, "split.n_splits: 60 folds of 60"),
        ("grouped", {"method": "group_kfold", "n_splits": 16}, "split.n_splits: 16 folds of 15 gr"),
        ("numbers", {"method": "no_module:Class"}, "split.method: cannot import 'no_module' ("),
        ("numbers", {"method": "math:pi"}, "split.method: module 'math' has no class 'pi'"),
        ("numbers", {"method": "os:getcwd"}, "split.method: os:getcwd cannot divide this data ("),
        (
            "classes",
            {"method": "stratified_shuffle_split", "test_size": 0.01},
            "split.method: stratified_shuffle_split cannot divide this data (",
        ),
    ],
    ids=str,
)
def test_splits_that_do_not_fit_the_data_are_refused(
    request: pytest.FixtureRequest, folder: Path, data: str, split: Any, problem: str
) -> None:
    assert refused(request.getfixturevalue(data), folder, **split).startswith(problem)


def test_class_without_training_rows_is_refused(prepare: Prepare, folder: Path) -> None:
    data = prepare(DataSpec.from_arrays(X, ["rare", *LABELS[1:]]))
    problem = refused(data, folder, method="kfold", n_splits=3)
    assert "has no training row of class 'rare'; use stratified folds" in problem


@given(st.lists(st.integers(0, 5), min_size=4, max_size=30), st.integers(2, 4), st.integers(0, 99))
@settings(deadline=None, max_examples=40, database=None, derandomize=True)
def test_any_groups_are_kept_whole_or_refused(groups: list[int], n_splits: int, seed: int) -> None:
    spec = DataSpec.from_arrays(np.zeros((len(groups), 1)), NUMBERS[: len(groups)], groups=groups)
    with tempfile.TemporaryDirectory() as name:
        dataset = prepare_data(spec, None, Path(name))
        if len(set(groups)) < n_splits:
            assert "groups; use at most" in refused(dataset, Path(name), n_splits=n_splits)
            return
        made = sides(plan(dataset, Path(name), seed=seed, n_splits=n_splits))
    for train, test in made:
        assert not {groups[row] for row in train} & {groups[row] for row in test}
        assert sorted(train + test) == list(range(len(groups)))
