"""Scales on which a metric has no bounds, so that an interval mapped back stays within its range.

An interval is computed on the scale by the delta method: g(estimate) +- quantile * error *
g'(estimate). For a range with two ends g is the logit of the place within it (for [-1, 1] that is
2 atanh), for one with an upper end -log(upper - x), for one with a lower end log(x - lower).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from foldproof.tasks.evaluation.metrics import value_range


@dataclass(frozen=True)
class Scale:
    """A strictly increasing function of a metric, its slope, its inverse, and what it is called."""

    name: str
    forward: Callable[[float], float]
    slope: Callable[[float], float]
    backward: Callable[[float], float]

    def around(self, estimate: float, half: float) -> tuple[float, float]:
        """Return the interval around an estimate, whose half width is given without the scale."""
        middle, reach = self.forward(estimate), half * self.slope(estimate)
        return self.backward(middle - reach), self.backward(middle + reach)


PLAIN = Scale("", lambda x: x, lambda x: 1.0, lambda x: x)


def scale_of(metric: str, classes: int) -> Scale:
    """Return the scale of a metric; a plain one where its range is unknown or has no ends.

    Args:
        metric: its name.
        classes: of the task; 0 for a regression.
    """
    return scale_between(*value_range(metric, classes))


def scale_between(low: float | None, high: float | None) -> Scale:
    """Return the scale of a range; None is no end."""
    if low is None:
        return PLAIN if high is None else _below(high)
    return _above(low) if high is None else _within(low, high)


def is_on_bound(value: float, metric: str, classes: int) -> bool:
    """Return whether a value is an end of its metric's range, where the scale has no place."""
    return value in value_range(metric, classes)


def _within(low: float, high: float) -> Scale:
    span = high - low

    def forward(x: float) -> float:
        return math.log((x - low) / (high - x))

    def backward(y: float) -> float:
        share = 1 / (1 + math.exp(-y)) if y > 0 else math.exp(y) / (1 + math.exp(y))
        return low + span * share

    name = "atanh" if (low, high) == (-1.0, 1.0) else "logit"
    return Scale(name, forward, lambda x: span / ((x - low) * (high - x)), backward)


def _below(high: float) -> Scale:
    def backward(y: float) -> float:
        return high - math.exp(-y)

    return Scale("log", lambda x: -math.log(high - x), lambda x: 1 / (high - x), backward)


def _above(low: float) -> Scale:
    def backward(y: float) -> float:
        return low + math.exp(y)

    return Scale("log", lambda x: math.log(x - low), lambda x: 1 / (x - low), backward)
