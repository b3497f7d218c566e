"""Small tested folds, as interval methods take them."""

import numpy as np

from foldproof.tasks.evaluation.intervals.types import Interval, TestedFold
from foldproof.tasks.evaluation.predictions import Predictions, predict_labels

FOLD_1 = ([0.9, 0.8, 0.7, 0.6, 0.4, 0.3], [1, 1, 0, 1, 0, 0])
FOLD_2 = ([0.95, 0.7, 0.65, 0.5, 0.45, 0.2], [1, 0, 1, 1, 0, 0])
TIED = ([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0])


def binary(scores, truth):
    """Return predictions of a binary task: a score and a class, 0 or 1, a row."""
    column = np.array(scores, dtype=float).reshape(-1, 1)
    return Predictions(np.array(truth), predict_labels(column, "binary"), column, 2)


def scored(fold, n_train=12, groups=None, repeat=0):
    """Return a binary fold of some scores and whether each row is positive."""
    return TestedFold(n_train, len(fold[1]), binary(*fold), groups, repeat)


def ends(found: Interval) -> tuple[float, float]:
    """Return both ends of an interval that is there."""
    assert found.low is not None, found.method
    assert found.high is not None
    return found.low, found.high


def regression(n_train=20, n_test=10):
    """Return a fold of a regression that is right everywhere."""
    values = np.arange(float(n_test))
    return TestedFold(n_train, n_test, Predictions(values, values, values.reshape(-1, 1), 0))
