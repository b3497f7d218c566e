"""Choose the interval method whose conditions hold; if none does, give the reason.

A method is a module of this package that declares a METHOD: `applies` says for which metrics and
splits it holds, and of those that hold the one with the highest `precedence` is the default.
"""

from collections.abc import Sequence
from functools import cache

from foldproof.tasks.common.declared import declared
from foldproof.tasks.evaluation.intervals.types import (
    Interval,
    IntervalMethod,
    MetricByFold,
    ScoredFold,
)
from foldproof.tasks.folds.split.splitters import EXCHANGEABLE, base_method

CONFIDENCE_LEVEL = 0.95


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
    base = base_method(method)
    if base not in EXCHANGEABLE:
        return Interval(None, None, f"none: folds of {method} are not exchangeable")
    given = MetricByFold(metric, values, folds, base, repeats)
    return next(one for one in _methods() if one.applies(given)).compute(given, CONFIDENCE_LEVEL)


@cache
def _methods() -> list[IntervalMethod]:
    found: list[IntervalMethod] = declared(__package__ or "", "METHOD")
    return sorted(found, key=lambda method: -method.precedence)


__all__ = ["Interval", "ScoredFold", "interval"]
