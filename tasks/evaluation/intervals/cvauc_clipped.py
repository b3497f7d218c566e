"""The influence-curve interval of a cross-validated AUC as published: plain, and cut at 0 and 1.

LeDell, Petersen, van der Laan (2015): see `cvauc`.
"""

from collections.abc import Sequence

from foldproof.tasks.evaluation.intervals.cvauc import applies, interval_by
from foldproof.tasks.evaluation.intervals.types import Interval, IntervalMethod, TestedFold


def interval(folds: Sequence[TestedFold], level: float) -> Interval:
    """Return mean +- z * error, cut at 0 and 1.

    Args:
        folds: each with at least one positive and one negative test row.
        level: such as 0.95.
    """
    return interval_by(_clipped, "clipped", folds, level)


def _clipped(mean: float, half: float) -> tuple[float, float]:
    return max(0.0, mean - half), min(1.0, mean + half)


METHOD = IntervalMethod("cvauc_clipped", applies, lambda given, level: interval(given.folds, level))
