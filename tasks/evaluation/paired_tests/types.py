"""Inputs, results and declarations of the paired tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.predictions import Predictions
from foldproof.tasks.folds.split.splitters import is_each_row_tested_once

ROUNDING = 8 * np.finfo(float).eps  # of a value, what its last bits may be off

SAME = "the models have the same values, so there is no spread to make an interval of"
CONSTANT = "none: all differences are the same, so their variance says nothing"


@dataclass(frozen=True)
class PairedTest:
    """A paired test of two models on one metric.

    Attributes:
        method: the method's name; empty where none may be used.
        difference: first minus second.
        low, high: the interval of the difference, or None.
        statistic: what the method computes, or None.
        p: two-sided, or None.
        note: why something is missing, or what a reader must know.
        probabilities: that the first one is better, that both are practically equal, and that
            the second one is better; of a Bayesian test.
    """

    method: str
    difference: float | None
    low: float | None = None
    high: float | None = None
    statistic: float | None = None
    p: float | None = None
    note: str = ""
    probabilities: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class SplitSummary:
    """How the rows were split into folds, as far as it decides which tests are valid.

    Attributes:
        method: the split method.
        repeats: how often the rows were divided.
        n_train, n_test: sizes, one a fold.
        grouped: rows belong to groups, such as the patient, and are not independent.
    """

    method: str
    repeats: int
    n_train: tuple[int, ...]
    n_test: tuple[int, ...]
    grouped: bool = False

    @property
    def tests_each_row_once(self) -> bool:
        """Whether every row is a test row of exactly one fold."""
        return is_each_row_tested_once(self.method, self.repeats)


@dataclass(frozen=True)
class PooledPredictions:
    """Two models' predictions for the same rows, in the same order, each made out of its fold."""

    first: Predictions
    second: Predictions

    @property
    def is_binary(self) -> bool:
        """Whether there are scores of a positive class."""
        return self.first.classes == 2


@dataclass(frozen=True)
class Pair:
    """Two models on one metric.

    Attributes:
        metric: its name.
        first, second: each model's values, one a planned fold; None where there is none.
        division: how the rows were divided.
        pooled: both models' predictions, where every row is tested once and all folds are done.
        rope: the difference that is practically none, or None where nobody can say.
        pooled_values: the metric of all rows of each, where each row is tested once.
        draws: the same of draws of rows, NaN where undefined; None where there are none.
    """

    metric: str
    first: Sequence[float | None]
    second: Sequence[float | None]
    division: SplitSummary
    pooled: PooledPredictions | None
    rope: float | None = None
    pooled_values: tuple[float, float] | None = None
    draws: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    @property
    def known(self) -> tuple[list[float], list[float]]:
        """The values that there are."""
        first, second = (
            [value for value in of if value is not None] for of in (self.first, self.second)
        )
        return first, second


@dataclass(frozen=True)
class PairedMethod:
    """A paired test, or several, declared by their module as METHOD.

    Attributes:
        tests: returns what may be said of a pair at a level, such as 0.95; nothing where the
            tests are not for it.
        order: of the tests in a comparison.
    """

    tests: Callable[[Pair, float], list[PairedTest]]
    order: int


def differences(first: Sequence[float], second: Sequence[float]) -> NDArray[np.float64]:
    """Return first minus second, float64 (J,); what is equal but for rounding is made equal.

    Without that, ten differences of 0.1 would have a variance of 1e-34 and any p-value.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    found = a - b
    limit = ROUNDING * float(np.max(np.abs([a, b])))
    found[np.abs(found) <= limit] = 0.0
    return np.full_like(found, found[0]) if np.ptp(found) <= 2 * limit else found


def without_spread(method: str, found: NDArray[np.float64]) -> PairedTest:
    """Return the result for differences that are all the same, which allow no test.

    Two models that agree in every fold give no evidence against their equality: p is 1. A
    constant other than zero would make any statistic infinite and p zero, from a variance
    that is only unknown; so there is no test.
    """
    difference = float(found.flat[0])
    if difference == 0:
        return PairedTest(method, difference, p=1.0, note=SAME)
    return PairedTest(method, difference, note=CONSTANT)
