"""Inputs, results and declarations of the interval methods."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from foldproof.tasks.folds.split.splitters import is_each_row_tested_once


@dataclass(frozen=True)
class ScoredFold:
    """The labels and scores of a fold's test rows, as interval methods take them.

    Attributes:
        n_train, n_test: its sizes.
        positive: which test rows are positive, bool (n_test,), or None if not binary.
        scores: the positive class's scores, float64 (n_test,), or None.
    """

    n_train: int
    n_test: int
    positive: NDArray[Any] | None = None
    scores: NDArray[Any] | None = None

    @property
    def binary(self) -> bool:
        """Whether it has scores of a positive class."""
        return self.positive is not None


@dataclass(frozen=True)
class Interval:
    """Bounds, or None, and the method's name with the numbers it used."""

    low: float | None
    high: float | None
    method: str


@dataclass(frozen=True)
class MetricByFold:
    """A metric over the folds where it is defined.

    Attributes:
        metric: its name.
        values: of these folds, in order.
        folds: what they predicted, and their sizes.
        method: the split method.
        repeats: how often the rows were divided.
    """

    metric: str
    values: Sequence[float]
    folds: Sequence[ScoredFold]
    method: str
    repeats: int

    @property
    def tests_each_row_once(self) -> bool:
        """Whether every row is a test row of exactly one fold."""
        return is_each_row_tested_once(self.method, self.repeats)


@dataclass(frozen=True)
class IntervalMethod:
    """An interval method, declared by its module as METHOD.

    Attributes:
        applies: tells whether its conditions hold.
        compute: returns the interval of a level, such as 0.95.
        precedence: the larger goes first where several apply; 0 is for any metric.
    """

    applies: Callable[[MetricByFold], bool]
    compute: Callable[[MetricByFold, float], Interval]
    precedence: int = 0
