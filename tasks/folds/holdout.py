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
        stratified, plain, groups, last, or last_groups: whole groups, those that end last.
    """
    in_order = in_order or method == "time_series"
    if dataset.settings.groups is not None:
        return "last_groups" if in_order else "groups"
    if in_order:
        return "last"
    return "plain" if dataset.task == "regression" else "stratified"


def inner_split(
    rule: str, fraction: float, seed: int, codes: NDArray[Any], groups: Rows | None
) -> tuple[Rows, Rows]:
    """Split a fold's training rows into rows to train on and held-out rows.

    Args:
        rule: as from `inner_rule`.
        fraction: the share that is held out.
        seed: the fold's seed for the inner split.
        codes: labels or values of the training rows, (n,).
        groups: their groups, (n,), for the rules of groups.

    Returns:
        Positions within the training rows, ascending: to train on, held out.

    Raises:
        InputError: the rows cannot be divided so.
    """
    if rule == "last":
        held = math.ceil(fraction * len(codes))
        if held >= len(codes):
            raise InputError("train.early_stopping.fraction", "leaves no row to train on; lower it")
        return np.arange(len(codes) - held), np.arange(len(codes) - held, len(codes))
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
