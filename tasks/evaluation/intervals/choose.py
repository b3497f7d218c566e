"""Choose the interval method whose conditions hold; if none does, give the reason.

A method is a module of this package that declares a METHOD: `applies` says for which metrics and
splits it holds, and of those that hold the one with the highest `precedence` is the default.
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
    chosen += [method for method in applying if method.precedence is not None]
    return chosen[0].compute(given, level) if chosen else none(_why_none(given))


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
    return sorted(found, key=lambda method: -(method.precedence or 0))


__all__ = ["LEVEL", "interval", "method_names"]
