"""Run every paired test whose conditions hold; if none does, give the reason.

Tests are a module of this package that declares a METHOD.
"""

from functools import cache

from foldproof.tasks.common.declared import declared
from foldproof.tasks.evaluation.intervals.choose import LEVEL
from foldproof.tasks.evaluation.metrics import value_range
from foldproof.tasks.evaluation.paired_tests.types import (
    Pair,
    PairedMethod,
    PairedTest,
)

ROPE = 0.01  # of a metric within [0, 1]


def paired_tests(pair: Pair, level: float = LEVEL) -> list[PairedTest]:
    """Run all valid tests of two models; without one, return a result that gives the reason."""
    return [test for method in _methods() for test in method.tests(pair, level)]


def default_rope(metric: str, classes: int) -> float | None:
    """Return the difference of a metric that is practically none; None where that must be given.

    Args:
        metric: its name.
        classes: of the task; 0 for a regression.
    """
    return ROPE if value_range(metric, classes) == (0.0, 1.0) else None


@cache
def _methods() -> list[PairedMethod]:
    found: list[PairedMethod] = declared(__package__ or "", "METHOD")
    return sorted(found, key=lambda method: method.order)
