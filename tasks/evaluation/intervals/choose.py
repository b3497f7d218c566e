"""Choose the interval method whose conditions hold; if none does, give the reason.

A method is a module of this package that declares a METHOD: `applies` says for which metrics and
splits it holds, and of those that hold the one with the highest `rank` is the default. The ranks
follow from a simulation of how often each method holds the true value: docs/statistics.md.
"""

from functools import cache

from foldproof.tasks.common.declared import declared
from foldproof.tasks.evaluation.intervals.types import (
    Interval,
    IntervalMethod,
    MetricByFold,
    none,
)

LEVEL = 0.95


def interval(given: MetricByFold, level: float = LEVEL, wanted: str = "auto") -> Interval:
    """Return the confidence interval of a metric over the folds of a run.

    Args:
        given: the metric's values, and what they were computed from.
        level: such as 0.95.
        wanted: the name of a method, which is taken wherever its conditions hold; or auto.
    """
    applying = [method for method in _methods() if method.applies(given)]
    chosen = [method for method in applying if method.name == wanted]
    ranks = [(rank, method) for method in applying if (rank := method.rank(given)) is not None]
    usual = sorted(ranks, key=lambda ranked: -ranked[0])
    chosen += [method for rank, method in usual if method == usual[0][1] or rank < 0]
    found = [method.compute(given, level) for method in chosen]
    bounded = [one for one in found if one.low is not None]
    return (bounded or found or [none(_why_none(given))])[0]


def method_names() -> tuple[str, ...]:
    """Return the names of all methods, in alphabetical order."""
    return tuple(sorted(method.name for method in _methods()))


def _why_none(given: MetricByFold) -> str:
    if not given.is_exchangeable:
        return f"folds of {given.method} are not exchangeable"
    if 1 < len(given.known) < len(given.values):
        return f"only {len(given.known)} of {len(given.values)} folds have a value"
    return "fewer than two folds have a value"


@cache
def _methods() -> list[IntervalMethod]:
    found: list[IntervalMethod] = declared(__package__ or "", "METHOD")
    return found


__all__ = ["LEVEL", "interval", "method_names"]
