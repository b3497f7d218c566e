"""Run every paired test whose conditions hold; if none does, give the reason.

Tests are a module of this package that declares a METHOD.
"""

from collections.abc import Sequence
from functools import cache

from foldproof.tasks.common.declared import declared
from foldproof.tasks.evaluation.intervals.choose import LEVEL
from foldproof.tasks.evaluation.paired_tests.types import (
    Pair,
    PairedMethod,
    PairedTest,
    PooledScores,
    SplitSummary,
)


def paired_tests(
    metric: str,
    first: Sequence[float | None],
    second: Sequence[float | None],
    division: SplitSummary,
    pooled: PooledScores | None,
) -> list[PairedTest]:
    """Run all valid tests of two models; without one, return a result that gives the reason.

    Args:
        metric: its name; roc_auc of a binary task has a method of its own.
        first: the first model's values, one a planned fold; None where there is none.
        second: the second model's.
        division: how the rows were divided.
        pooled: both models' scores, where the task is binary and all folds of both are done.
    """
    pair = Pair(metric, first, second, division, pooled)
    return [test for method in _methods() for test in method.tests(pair, LEVEL)]


@cache
def _methods() -> list[PairedMethod]:
    found: list[PairedMethod] = declared(__package__ or "", "METHOD")
    return sorted(found, key=lambda method: method.order)
