"""The influence-curve interval of a cross-validated AUC as published: plain, and cut at 0 and 1.

LeDell, Petersen, van der Laan (2015): see `cvauc`.
"""

from collections.abc import Sequence

from foldproof.tasks.evaluation.intervals.cvauc import PERFECT, applies, mean_and_error, sizes
from foldproof.tasks.evaluation.intervals.types import (
    Interval,
    IntervalMethod,
    TestedFold,
    percent,
)


def interval(folds: Sequence[TestedFold], level: float) -> Interval:
    """Return mean +- z * error, cut at 0 and 1.

    Args:
        folds: each with at least one positive and one negative test row.
        level: such as 0.95.
    """
    from scipy import stats

    mean, error = mean_and_error(folds)
    if error == 0:
        return PERFECT
    half = float(stats.norm.ppf((1 + level) / 2)) * error
    name = f"{percent(level)} cvAUC influence curve (clipped), {sizes(folds)}"
    return Interval(max(0.0, mean - half), min(1.0, mean + half), name)


METHOD = IntervalMethod("cvauc_clipped", applies, lambda given, level: interval(given.folds, level))
