"""The holdout of early stopping: which of a fold's training rows are held out."""

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.data.dataset import Dataset

Rows = NDArray[np.int64]

SPLITTERS = {
    "stratified": "StratifiedShuffleSplit",
    "plain": "ShuffleSplit",
    "groups": "GroupShuffleSplit",
}


def inner_rule(dataset: Dataset, method: str, in_order: bool = False) -> str:
    """Choose the holdout rule that respects the outer split: its groups, order and strata.

    Args:
        dataset: the samples.
        method: the outer method.
        in_order: in every fold, each test row lies after all training rows.

    Returns:
        stratified, plain, groups, last, or last_groups: whole groups, those that end last; where
        rows have times, last_times or last_times_groups: the last times, and none of their
        groups is trained on.
    """
    in_order = in_order or method == "time_series"
    grouped = dataset.settings.groups is not None
    if dataset.settings.time is not None or (grouped and method == "time_series"):
        return "last_times_groups" if grouped else "last_times"
    if dataset.settings.groups is not None:
        return "last_groups" if in_order else "groups"
    if in_order:
        return "last"
    return "stratified" if dataset.labels else "plain"


def inner_split(
    rule: str,
    fraction: float,
    seed: int,
    codes: NDArray[Any],
    groups: Rows | None,
    times: Rows | None = None,
    gap: int = 0,
) -> tuple[Rows, Rows]:
    """Split a fold's training rows into rows to train on and held-out rows.

    Args:
        rule: as from `inner_rule`.
        fraction: the share that is held out.
        seed: the fold's seed for the inner split.
        codes: labels or values of the training rows, (n,).
        groups: their groups, (n,), for the rules of groups.
        times: their times, (n,), ascending; None where each row is a time of its own.
        gap: how many times are left out before those that are held out.

    Returns:
        Positions within the training rows, ascending: to train on, held out.

    Raises:
        InputError: the rows cannot be divided so.
    """
    if rule in ("last", "last_times", "last_times_groups"):
        kept_whole = groups if rule == "last_times_groups" else None
        return _hold_out_last_times(len(codes), fraction, gap, times, kept_whole)
    if rule == "last_groups":
        return _hold_out_last_groups(fraction, np.asarray(groups))
    from sklearn import model_selection

    splitter = getattr(model_selection, SPLITTERS[rule])
    try:
        with warnings.catch_warnings(action="ignore"):
            made = splitter(n_splits=1, test_size=fraction, random_state=seed)
            train, held_out = next(made.split(np.zeros((len(codes), 1)), codes, groups))
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            "train.early_stopping.fraction", f"cannot hold out rows ({reason})"
        ) from None
    return np.sort(train), np.sort(held_out)


def _hold_out_last_times(
    rows: int, fraction: float, gap: int, times: Rows | None, groups: Rows | None
) -> tuple[Rows, Rows]:
    """Hold out the last times, as many as have the share of the rows, but never all.

    Neither the times just before them nor the rows of their groups are trained on.
    """
    of_row = np.arange(rows) if times is None else np.asarray(times)
    begins = np.unique(of_row, return_index=True)[1]
    wanted = rows - math.ceil(fraction * rows)
    place = int(np.searchsorted(begins, wanted, side="right")) - 1
    place = max(place, 1) if times is not None else place
    if not 0 < place < len(begins) or place <= gap:
        raise InputError("train.early_stopping.fraction", "leaves no row to train on; lower it")
    train, held = np.arange(begins[place - gap]), np.arange(begins[place], rows)
    if groups is not None:
        train = train[~np.isin(groups[train], groups[held])]
    if not len(train):
        problem = "holds out rows of every group that comes before"
        raise InputError("train.early_stopping.fraction", f"{problem}; lower it")
    return train, held


def _hold_out_last_groups(fraction: float, groups: Rows) -> tuple[Rows, Rows]:
    """Hold out the groups that end last, until they have the share of the rows.

    Where groups do not overlap in time, these are the last rows; where they do, no division
    that uses every row keeps both promises, and groups stay whole.
    """
    values, of_row, counts = np.unique(groups, return_inverse=True, return_counts=True)
    if len(values) < 2:
        raise InputError("train.early_stopping.fraction", "cannot hold out rows (only one group)")
    ends = np.zeros(len(values), dtype=np.int64)
    np.maximum.at(ends, of_row, np.arange(len(groups)))
    from_the_end = np.argsort(ends)[::-1]
    rows = np.cumsum(counts[from_the_end])
    enough = int(np.searchsorted(rows, math.ceil(fraction * len(groups)))) + 1
    held = np.isin(of_row, from_the_end[: min(enough, len(values) - 1)])
    return np.flatnonzero(~held), np.flatnonzero(held)
