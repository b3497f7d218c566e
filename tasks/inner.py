"""Early stopping's inner split: which of a fold's training rows are held out."""

import math
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.data import Dataset
from tasks.errors import InputError

Rows = NDArray[np.int64]

SPLITTERS = {
    "stratified": "StratifiedShuffleSplit",
    "plain": "ShuffleSplit",
    "groups": "GroupShuffleSplit",
}


def inner_rule(dataset: Dataset, method: str) -> str:
    """Choose the rule that keeps the promises of the outer one."""
    if method == "time_series":
        return "last"
    if dataset.settings.groups is not None:
        return "groups"
    return "plain" if dataset.task == "regression" else "stratified"


def inner_split(
    rule: str, fraction: float, seed: int, codes: NDArray[Any], groups: Rows | None
) -> tuple[Rows, Rows]:
    """Divide a fold's training rows.

    Args:
        rule: stratified, plain, groups or last.
        fraction: the share that is held out.
        seed: the fold's seed for the inner split.
        codes: labels or values of the training rows, (n,).
        groups: their groups, (n,), for rule groups.

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
