"""The normal interval over pointwise losses, for metrics that are the mean of a loss a row.

Bayle, Bayle, Janson, Mackey (2020), Cross-validation confidence intervals for test error, NeurIPS;
the variance is over all pairs, mean (l - mean l)^2. It is about the fitted models' mean error. The
root of a mean has its interval by the delta method; r2 is no mean of losses. Ours is on the log
scale, so that no error is below 0.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.intervals.scales import scale_between
from foldproof.tasks.evaluation.intervals.types import (
    Interval,
    IntervalMethod,
    MetricByFold,
    none,
    percent,
)
from foldproof.tasks.evaluation.predictions import Predictions

Losses = NDArray[np.float64]
ERRORS = scale_between(0.0, None)


def absolute(of: Predictions) -> Losses:
    """Return each row's absolute error, (n,)."""
    return np.asarray(np.abs(of.truth - of.predicted))


def squared(of: Predictions) -> Losses:
    """Return each row's squared error, (n,)."""
    return np.asarray((of.truth - of.predicted) ** 2)


def log_loss(of: Predictions) -> Losses:
    """Return -log of the score of each row's class, clipped as scikit-learn does, (n,)."""
    scores = _by_class(of)
    tiny = np.finfo(scores.dtype).eps
    scores = np.clip(scores, tiny, 1 - tiny)
    return np.asarray(-np.log(scores[np.arange(len(scores)), of.truth]))


def brier(of: Predictions) -> Losses:
    """Return the squared distance of each row's scores from its class, of one column if binary."""
    scores = _by_class(of)
    truth = np.eye(scores.shape[1])[of.truth]
    total = np.asarray(((scores - truth) ** 2).sum(axis=1))
    return total / 2 if of.classes == 2 else total


LOSSES: dict[str, Callable[[Predictions], Losses]] = {
    "neg_mean_absolute_error": absolute,
    "neg_mean_squared_error": squared,
    "neg_root_mean_squared_error": squared,
    "neg_log_loss": log_loss,
    "neg_brier_score": brier,
}


def bounds(losses: Losses, level: float, is_root: bool = False) -> tuple[float, float]:
    """Return both ends of the mean loss, or of its root.

    Args:
        losses: one a row, not all 0.
        level: such as 0.95.
        is_root: the metric is the root of their mean.
    """
    from scipy import stats

    mean = float(losses.mean())
    half = float(stats.norm.ppf((1 + level) / 2)) * float(losses.std()) / math.sqrt(len(losses))
    low, high = ERRORS.around(mean, half)
    return (math.sqrt(low), math.sqrt(high)) if is_root else (low, high)


def _compute(given: MetricByFold, level: float) -> Interval:
    losses = np.concatenate([LOSSES[given.metric](fold.predictions) for fold in given.folds])
    if not losses.any():
        return none("no row has a loss", "pooled")
    low, high = bounds(losses, level, is_root=given.metric.startswith("neg_root"))
    method = f"{percent(level)} Wald over losses (log), n={len(losses)}"
    return Interval(-high, -low, method, "pooled")


def _applies(given: MetricByFold) -> bool:
    is_mean = given.metric in LOSSES and given.pooled is not None and given.is_of_one
    return is_mean and given.tests_each_row_once and not given.has_groups


def _by_class(of: Predictions) -> Losses:
    scores = of.scores
    return np.column_stack([1 - scores, scores]) if scores.shape[1] == 1 else scores


METHOD = IntervalMethod("wald", _applies, _compute)
