"""Split the rows into folds: check them, write them to disk, and take their digests."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.digest import digest_array, digest_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.config.types import MAX_FOLDS
from foldproof.tasks.data.dataset import FOLDS, GROUPS, TIMES, Dataset
from foldproof.tasks.folds.split.late_classes import late_class_hint
from foldproof.tasks.folds.split.splitters import PARTITIONS, make_splitter, resolve_method
from foldproof.tasks.folds.split.time_splits import left_out, time_series
from foldproof.tasks.user_code.objects.functions import is_function_object

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """One split of the rows into training and test rows.

    Attributes:
        repeat: counts from 0.
        fold: counts from 0 within its repeat.
        n_train: training rows.
        n_test: test rows.
        digest: of the rows on both sides.
        folder: holds the rows in ascending order, training and test in separate files.
        in_order: every test row lies after all training rows.
    """

    repeat: int
    fold: int
    n_train: int
    n_test: int
    digest: str
    folder: Path
    in_order: bool = False

    @property
    def train_path(self) -> Path:
        """The npy file of the training rows, int64 (n_train,)."""
        return self.folder / f"{self.repeat}-{self.fold}-train.npy"

    @property
    def test_path(self) -> Path:
        """The npy file of the test rows, int64 (n_test,)."""
        return self.folder / f"{self.repeat}-{self.fold}-test.npy"


@dataclass(frozen=True)
class FoldPlan:
    """All folds of a run.

    Attributes:
        method: the split method as resolved.
        repeats: how often the rows are divided.
        folds: sorted by repeat and fold.
        digest: of all rows of all folds.
        notices: what is unusual about the folds.
    """

    method: str
    repeats: int
    folds: tuple[Fold, ...]
    digest: str
    notices: tuple[str, ...] = ()

    @property
    def in_order(self) -> bool:
        """Whether in every fold each test row lies after all training rows."""
        return all(fold.in_order for fold in self.folds)

    def per_repeat(self) -> int:
        """Return how many folds one repeat has."""
        return len(self.folds) // self.repeats


def plan_folds(dataset: Dataset, spec: SplitSpec, seed: int, folder: Path) -> FoldPlan:
    """Split the rows into folds, and check the folds against the split method's guarantees.

    Args:
        dataset: what is divided.
        spec: the split settings.
        seed: the run's seed; repeat r shuffles with `seed + r`.
        folder: an existing folder for the rows.

    Raises:
        InputError: the data cannot be divided so, or a promise would be broken.
    """
    method = resolve_method(spec, dataset)
    folds = tuple(
        _write(repeat, number, train, test, folder)
        for repeat in range(spec.n_repeats)
        for number, train, test in _checked_folds(dataset, spec, method, seed + repeat)
    )
    digest = digest_json([fold.digest for fold in folds])
    notices = tuple(_notices(dataset, spec, method, folds))
    return FoldPlan(method, spec.n_repeats, folds, digest, notices)


def _notices(
    dataset: Dataset, spec: SplitSpec, method: str, folds: Sequence[Fold]
) -> Iterator[str]:
    """Yield a line on rows that are left out, on folds that train on later rows, on strata."""
    if dataset.task == "multilabel" and spec.method == "auto" and "kfold" in method:
        yield f"rows have several labels, so folds are not stratified: split.method is {method}"
    if method == "time_series" and (
        note := left_out(dataset, spec, sum(fold.n_train for fold in folds))
    ):
        yield note
    late = sum(not fold.in_order for fold in folds)
    if late and dataset.settings.time is not None:
        yield f"{late} of {len(folds)} folds train on later times than they test, by split.method"


def _checked_folds(
    dataset: Dataset, spec: SplitSpec, method: str, seed: int
) -> Iterator[tuple[int, Rows, Rows]]:
    tested = np.zeros(dataset.rows, dtype=np.int64)
    for number, made in enumerate(_divide(dataset, spec, method, seed)):
        if number >= MAX_FOLDS:
            problem = f"{method} makes more than {MAX_FOLDS} folds; use another one"
            raise InputError("split.method", problem)
        train, test = _positions(dataset, number, made)
        _check_sides(dataset, number, train, test)
        _check_classes(dataset, spec, method, number, (train, test))
        tested[test] += 1
        yield number, train, test
    if not tested.any():
        raise InputError("split.method", f"{method} made no folds; let split yield some")
    if method in PARTITIONS and not np.all(tested == 1):
        wrong = int(np.sum(tested != 1))
        raise InputError("split.method", f"{method} left {wrong} rows tested not exactly once")


def _positions(dataset: Dataset, number: int, made: Any) -> tuple[Rows, Rows]:
    """Return both sides of what a splitter yielded, in ascending order."""
    try:
        train, test = (np.sort(np.asarray(side).reshape(-1)) for side in made)
    except (TypeError, ValueError):
        problem = f"fold {number} is no pair of row numbers; let split yield train and test"
        raise InputError("split.method", problem) from None
    return _numbers(dataset, number, train), _numbers(dataset, number, test)


def _numbers(dataset: Dataset, number: int, side: NDArray[Any]) -> Rows:
    if len(side) and side.dtype.kind not in "iu":
        problem = f"fold {number} holds {side.dtype}; let split yield the numbers of rows"
        raise InputError("split.method", problem)
    if len(side) and (side[0] < 0 or side[-1] >= dataset.rows):
        problem = f"fold {number} has row numbers outside 0 to {dataset.rows - 1}; leave them out"
        raise InputError("split.method", problem)
    return side.astype(np.int64)


def _divide(dataset: Dataset, spec: SplitSpec, method: str, seed: int) -> Iterator[Any]:
    codes = np.asarray(dataset.codes())
    groups = dataset.array(GROUPS)
    _check_counts(dataset, spec, method, codes, groups)
    if method == "predefined":
        yield from _predefined(dataset)
        return
    if method == "time_series":
        yield from time_series(dataset, spec)
        return
    splitter = make_splitter(spec, method, seed)
    if isinstance(splitter, list):  # pairs of rows, given as they are
        yield from splitter
        return
    try:
        with warnings.catch_warnings(action="ignore"):  # what they warn of is checked here
            yield from splitter.split(np.zeros((dataset.rows, 1)), codes, groups)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # the user's own class: anything can come out
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            "split.method", f"{method} cannot divide this data ({reason}); use another one"
        ) from None


def _predefined(dataset: Dataset) -> Iterator[tuple[Rows, Rows]]:
    of_row = dataset.array(FOLDS)
    assert of_row is not None  # the configuration asks for the column
    if of_row.max() == 0:
        raise InputError("split.fold_column", "holds one value only; two folds are needed")
    for value in range(int(of_row.max()) + 1):
        yield np.flatnonzero(of_row != value), np.flatnonzero(of_row == value)


def _check_counts(
    dataset: Dataset, spec: SplitSpec, method: str, codes: NDArray[Any], groups: Rows | None
) -> None:
    if is_function_object(method):
        return
    n_splits = spec.n_splits
    if method in ("kfold", "stratified_kfold") and dataset.rows < n_splits:
        raise InputError("split.n_splits", f"{n_splits} folds of {dataset.rows} rows; use fewer")
    if groups is not None and "group" in method and (found := len(np.unique(groups))) < n_splits:
        raise InputError(
            "split.n_splits", f"{n_splits} folds of {found} groups; use at most {found}"
        )
    if not method.startswith("stratified"):
        return
    counts = np.bincount(codes, minlength=len(dataset.labels))
    rarest = int(np.argmin(counts))
    least = 2 if "shuffle" in method else n_splits
    if counts[rarest] < least:
        label = f"class {dataset.labels[rarest]!r} has only {counts[rarest]} rows"
        remedy = "use fewer folds or method kfold" if least == n_splits else "use shuffle_split"
        raise InputError("split.n_splits", f"{n_splits} folds, but {label}; {remedy}")


def _check_sides(dataset: Dataset, number: int, train: Rows, test: Rows) -> None:
    if not len(train) or not len(test):
        side = "training" if not len(train) else "test"
        raise InputError("split.method", f"fold {number} has no {side} rows; use other splits")
    if np.any(test[1:] == test[:-1]):  # training rows may repeat, as in a bootstrap
        raise InputError("split.method", f"fold {number} tests a row twice; name each once")
    seen = np.zeros(dataset.rows, dtype=bool)
    seen[train] = True
    if seen[test].any():
        raise InputError("split.method", f"fold {number} trains on rows that it tests; part them")
    groups = dataset.array(GROUPS)
    if groups is not None and np.intersect1d(groups[train], groups[test]).size:
        raise InputError("split.method", f"fold {number} has groups on both sides; keep them whole")
    times = dataset.array(TIMES)
    if times is not None and np.intersect1d(times[train], times[test]).size:
        problem = f"fold {number} has rows of one time on both sides"
        raise InputError("split.method", f"{problem}; keep them together")


def _check_classes(
    dataset: Dataset, spec: SplitSpec, method: str, number: int, sides: tuple[Rows, Rows]
) -> None:
    if not dataset.labels:
        return
    train, test = sides
    present = np.bincount(dataset.codes()[train], minlength=len(dataset.labels)) > 0
    if not present.all():
        missing = int(np.argmin(present))
        remedy = "use stratified folds, fewer folds, or leave the class out"
        if train[-1] < test[0]:
            remedy = late_class_hint(dataset, spec, method, missing, train)
        problem = f"fold {number} has no training row of class {dataset.labels[missing]!r}"
        raise InputError("split.method", f"{problem}; {remedy}")


def _write(repeat: int, number: int, train: Rows, test: Rows, folder: Path) -> Fold:
    digest = digest_json([digest_array(train), digest_array(test)])
    in_order = bool(train[-1] < test[0])
    fold = Fold(repeat, number, len(train), len(test), digest, folder, in_order)
    np.save(fold.train_path, train)
    np.save(fold.test_path, test)
    return fold
