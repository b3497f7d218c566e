"""Folds of a time series: scikit-learn's `TimeSeriesSplit` over times, in which rows stay whole.

Without `data.time`, each row is a time of its own.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.data.dataset import GROUPS, TIMES, Dataset

Rows = NDArray[np.int64]
Sides = tuple[Rows, Rows]

GROUPS_REMEDY = "use fewer folds or a smaller split.test_size, or leave data.groups out"


def time_series(dataset: Dataset, spec: SplitSpec) -> Iterator[Sides]:
    """Yield the training and test rows of each fold: all that is tested comes later.

    Args:
        dataset: the samples, in the order of their times.
        spec: the settings of the split.

    Raises:
        InputError: there are too few times, or a fold has no row to train on.
    """
    groups = dataset.array(GROUPS)
    for number, (train, test) in enumerate(_by_time(dataset, spec)):
        kept = train if groups is None else train[~np.isin(groups[train], groups[test])]
        if not len(kept):
            problem = f"fold {number} tests a row of every group that came before"
            raise InputError("data.groups", f"{problem}; {GROUPS_REMEDY}")
        yield kept, test


def left_out(dataset: Dataset, spec: SplitSpec, n_train: int) -> str:
    """Return a note on earlier rows that no fold trains on, as it tests their groups.

    Args:
        dataset: the samples.
        spec: the settings of the split.
        n_train: training rows of all folds.
    """
    if dataset.array(GROUPS) is None:
        return ""
    count = sum(len(train) for train, _ in _by_time(dataset, spec)) - n_train
    if not count:
        return ""
    share = f"{count} of {count + n_train} training rows of the folds"
    return f"{share} are left out, as later rows of their groups are tested there"


def count_times(dataset: Dataset) -> tuple[int, str]:
    """Return the number of different times, and what to call them: times, or rows."""
    times = dataset.array(TIMES)
    return (dataset.rows, "rows") if times is None else (int(times[-1]) + 1, "times")


def _by_time(dataset: Dataset, spec: SplitSpec) -> Iterator[Sides]:
    from sklearn.model_selection import TimeSeriesSplit

    number, what = count_times(dataset)
    size = _test_size(spec, number)
    _refuse_too_few(spec, number, what, size)
    splitter = TimeSeriesSplit(
        spec.n_splits, max_train_size=_window(spec, number, size), test_size=size, gap=spec.gap
    )
    begins = _first_rows(dataset, number)
    for train, test in splitter.split(np.zeros((number, 1))):
        yield tuple(np.arange(begins[side[0]], begins[side[-1] + 1]) for side in (train, test))  # type: ignore[misc]


def _test_size(spec: SplitSpec, times: int) -> int:
    """Return how many times each fold tests: scikit-learn's own rule where nobody said it."""
    if not spec.chosen("test_size"):
        return times // (spec.n_splits + 1)
    return spec.test_size if isinstance(spec.test_size, int) else math.ceil(spec.test_size * times)


def _window(spec: SplitSpec, times: int, size: int) -> int | None:
    if spec.window == "sliding":
        return times - spec.n_splits * size - spec.gap
    return None if spec.window == "expanding" else spec.window


def _refuse_too_few(spec: SplitSpec, times: int, what: str, size: int) -> None:
    n_splits, gap = spec.n_splits, spec.gap
    if times < n_splits + 1:
        raise InputError("split.n_splits", f"{n_splits} folds of {times} {what}; use fewer")
    needed = n_splits * size + gap + 1
    if needed <= times:
        return
    parts = f"{n_splits} folds that test {size} {what} each"
    parts += f" after a gap of {gap}" if gap else ""
    setting = "gap" if needed - gap <= times else "test_size"
    problem = f"{parts} need {needed} {what}, but there are {times}"
    raise InputError(f"split.{setting}", f"{problem}; lower it, or use fewer folds")


def _first_rows(dataset: Dataset, number: int) -> Rows:
    """Return where each time begins, and at the end the number of rows."""
    times = dataset.array(TIMES)
    return np.arange(number + 1) if times is None else np.searchsorted(times, np.arange(number + 1))
