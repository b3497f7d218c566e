"""Make every paired test whose conditions hold; where none holds, say why.

Tests are a module of this package that declares a METHOD.
"""

from collections.abc import Sequence
from functools import cache

from foldproof.tasks.evaluation.declared import declared
from foldproof.tasks.evaluation.intervals.choose import LEVEL
from foldproof.tasks.evaluation.paired_tests.types import (
    Division,
    Pair,
    PairedMethod,
    PairedTest,
    PooledScores,
)


def paired_tests(
    metric: str,
    first: Sequence[float | None],
    second: Sequence[float | None],
    division: Division,
    pooled: PooledScores | None,
) -> list[PairedTest]:
    """Return every test that may be made of two models, or one without a p-value that says why.

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
