"""Pooled counts of a proportion: of how many test rows something was right in how many.

They are about the average performance of the fitted models on new rows; that other training
rows would have given other models is not in them. Rows must be independent, and each a test row
once (in each repeat: then the mean proportion counts, with as many rows as there are).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.intervals.types import Interval, MetricByFold, none, percent
from foldproof.tasks.evaluation.predictions import Predictions

Rows = NDArray[np.bool_]
# Of which rows a metric is a share. Their right ones are those whose label was predicted.
COUNTED: dict[str, Callable[[Predictions], Rows]] = {
    "sensitivity": lambda of: of.truth == 1,
    "recall": lambda of: of.truth == 1,
    "specificity": lambda of: of.truth == 0,
    "ppv": lambda of: of.predicted == 1,
    "precision": lambda of: of.predicted == 1,
    "npv": lambda of: of.predicted == 0,
    "accuracy": lambda of: np.ones(len(of.truth), dtype=bool),
}
ONE_CLASS = tuple(name for name in COUNTED if name != "accuracy")


@dataclass(frozen=True)
class Counts:
    """How many rows were right, of how many; means over repeats, so not always whole numbers."""

    right: float
    n: float


def is_proportion(given: MetricByFold) -> bool:
    """Return whether a metric is a share of the test rows, or of those of a class."""
    known = given.metric in COUNTED and given.folds[0].predictions.classes > 0
    return known and given.is_of_one and (given.is_binary or given.metric not in ONE_CLASS)


def applies(given: MetricByFold) -> bool:
    """Return whether a metric is a share of independent rows that are tested once a repeat."""
    return is_proportion(given) and given.divides_rows and not given.has_groups


def counts(given: MetricByFold) -> Counts | None:
    """Return the counts of the pooled proportion, or None where a repeat has no such rows."""
    if given.pooled is None:
        return None
    counted = COUNTED[given.metric]
    n = sum(int(counted(fold.predictions).sum()) for fold in given.folds) / given.repeats
    return Counts(given.pooled * n, n)


def by_counts(
    name: str, bounds: Callable[[float, float, float], tuple[float, float]]
) -> Callable[[MetricByFold, float], Interval]:
    """Return what computes a method's interval from the pooled counts.

    Args:
        name: of the method.
        bounds: returns both ends for the right rows, all rows and the level.
    """

    def compute(given: MetricByFold, level: float) -> Interval:
        found = counts(given)
        if found is None:
            return none("there are no rows to count", "pooled")
        low, high = bounds(found.right, found.n, level)
        method = f"{percent(level)} {name}, pooled {found.right:g} of {found.n:g}"
        return Interval(low, high, method, "pooled")

    return compute
