"""Confidence intervals of a cross-validated metric: one method a module.

`interval` chooses the method whose conditions hold, and says so; where none holds there
is no interval, and the reason stands in its place.
"""

from collections.abc import Sequence

import numpy as np

from foldproof.tasks.evaluation.intervals import corrected_t, cvauc
from foldproof.tasks.evaluation.intervals.types import Interval, ScoredFold
from foldproof.tasks.folds.splitters import EXCHANGEABLE, PARTITIONS

LEVEL = 0.95


def interval(
    metric: str, values: Sequence[float], folds: Sequence[ScoredFold], method: str, repeats: int
) -> Interval:
    """Return a 95 % confidence interval of a metric's mean over folds.

    Args:
        metric: its name; roc_auc of a binary task has a method of its own.
        values: of the folds where it is defined, in order.
        folds: what those folds predicted, and their sizes.
        method: the split method.
        repeats: how often the rows were divided.
    """
    if len(values) < 2:
        return Interval(None, None, "none: fewer than two folds have a value")
    if method not in EXCHANGEABLE:
        return Interval(None, None, f"none: folds of {method} are not exchangeable")
    once = method in PARTITIONS and repeats == 1
    if metric == "roc_auc" and once and all(fold.binary for fold in folds):
        return cvauc.interval(folds, LEVEL)
    train, test = np.mean([[fold.n_train, fold.n_test] for fold in folds], axis=0)
    return corrected_t.interval(values, float(train), float(test), LEVEL)


__all__ = ["Interval", "ScoredFold", "interval"]
