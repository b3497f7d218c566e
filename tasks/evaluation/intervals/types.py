"""Inputs, results and declarations of the interval methods."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.predictions import Predictions
from foldproof.tasks.folds.split.splitters import EXCHANGEABLE, is_each_row_tested_once

Estimate = Literal["mean", "pooled"]


@dataclass(frozen=True)
class TestedFold:
    """A fold's sizes and what was predicted for its test rows.

    Attributes:
        n_train, n_test: its sizes.
        predictions: of the test rows.
        groups: the group of each test row, int64 (n_test,), or None where rows are independent.
        repeat: which division of the rows it is part of, from 0.
    """

    n_train: int
    n_test: int
    predictions: Predictions
    groups: NDArray[Any] | None = None
    repeat: int = 0

    def of(self, place: int) -> "TestedFold":
        """Return the same of one of several targets."""
        return replace(self, predictions=self.predictions.of(place))

    @property
    def positive(self) -> NDArray[Any]:
        """Which test rows of a binary task are positive, bool (n_test,)."""
        return np.asarray(self.predictions.truth == 1)

    @property
    def scores(self) -> NDArray[Any]:
        """The positive class's scores of a binary task, float64 (n_test,)."""
        return self.predictions.scores[:, 0]


@dataclass(frozen=True)
class Interval:
    """Bounds, or None, the method's name with the numbers it used, and what it is around."""

    low: float | None
    high: float | None
    method: str
    estimate: Estimate = "mean"


@dataclass(frozen=True)
class MetricByFold:
    """A metric over the folds of a whole run.

    Attributes:
        metric: its name.
        values: one a fold, None where it is undefined.
        pooled: its value on all test rows of a repeat together, the mean over repeats, or None.
        folds: what they predicted, and their sizes.
        method: the split method, without what it was given.
        repeats: how often the rows were divided.
        seed: what random draws start from.
    """

    metric: str
    values: Sequence[float | None]
    pooled: float | None
    folds: Sequence[TestedFold]
    method: str
    repeats: int = 1
    seed: int = 0

    @cached_property
    def known(self) -> list[float]:
        """The values of the folds where it is defined."""
        return [value for value in self.values if value is not None]

    @property
    def is_whole(self) -> bool:
        """Whether every fold has a value, and there are two at least."""
        return len(self.known) == len(self.values) > 1

    @property
    def is_binary(self) -> bool:
        """Whether there are scores of a positive class."""
        return self.folds[0].predictions.classes == 2 and self.is_of_one

    @property
    def is_of_one(self) -> bool:
        """Whether it is of one target a row, not the mean over several nor over an array."""
        return self.folds[0].predictions.truth.ndim == 1

    @property
    def is_exchangeable(self) -> bool:
        """Whether no fold is a special one, as they are in time."""
        return self.method in EXCHANGEABLE

    @property
    def tests_each_row_once(self) -> bool:
        """Whether every row is a test row of exactly one fold."""
        return is_each_row_tested_once(self.method, self.repeats)

    @property
    def divides_rows(self) -> bool:
        """Whether every row is a test row of exactly one fold of each repeat."""
        return is_each_row_tested_once(self.method, 1)

    @property
    def has_groups(self) -> bool:
        """Whether rows belong together, so that they are not independent."""
        return self.folds[0].groups is not None


@dataclass(frozen=True)
class IntervalMethod:
    """An interval method, declared by its module as METHOD.

    Attributes:
        name: as `report.intervals` takes it.
        applies: tells whether its conditions hold.
        compute: returns the interval of a level, such as 0.95.
        rank: of those that apply the one with the largest rank is the default; one below 0 stands
            in where that gives no interval; None is never a default.
    """

    name: str
    applies: Callable[[MetricByFold], bool]
    compute: Callable[[MetricByFold, float], Interval]
    rank: Callable[[MetricByFold], int | None] = lambda given: None


def percent(level: float) -> str:
    """Write a level, such as 95% or 97.5%."""
    return f"{100 * level:g}%"


def none(reason: str, estimate: Estimate = "mean") -> Interval:
    """Return no interval, and why."""
    return Interval(None, None, f"none: {reason}", estimate)
