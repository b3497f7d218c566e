"""DeLong's interval of the AUC of one model on one test set, on the logit scale.

DeLong, DeLong, Clarke-Pearson (1988): see `paired_tests.delong`. The variance is DeLong's;
the logit keeps both ends within (0, 1): Pepe (2003), The Statistical Evaluation of Medical Tests
for Classification and Prediction, 5.2.4.
"""

import math

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.auc_variance import covariance, placements
from foldproof.tasks.evaluation.intervals.scales import scale_between
from foldproof.tasks.evaluation.intervals.types import (
    Interval,
    IntervalMethod,
    MetricByFold,
    none,
    percent,
)

LOGIT = scale_between(0.0, 1.0)
MIN_OF_A_CLASS = 2


def auc_and_error(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[float, float]:
    """Return the AUC and its standard error.

    Args:
        positive: which rows are, (n,), two or more of each class.
        scores: of the positive class, (n,).
    """
    cases, controls = placements(positive, scores.reshape(-1, 1))
    return float(cases.mean()), math.sqrt(float(covariance(cases, controls)[0, 0]))


def interval(positive: NDArray[np.bool_], scores: NDArray[np.float64], level: float) -> Interval:
    """Return the interval around the AUC, within (0, 1).

    Args:
        positive: which rows are, (n,).
        scores: of the positive class, (n,).
        level: such as 0.95.
    """
    from scipy import stats

    if min(int(positive.sum()), int((~positive).sum())) < MIN_OF_A_CLASS:
        return none(f"fewer than {MIN_OF_A_CLASS} rows of a class")
    auc, error = auc_and_error(positive, scores)
    if error == 0:
        return none("the scores separate perfectly")
    low, high = LOGIT.around(auc, float(stats.norm.ppf((1 + level) / 2)) * error)
    return Interval(low, high, f"{percent(level)} DeLong (logit), n={len(positive)}")


def _applies(given: MetricByFold) -> bool:
    is_auc = given.metric == "roc_auc" and given.is_binary and len(given.known) == 1
    return is_auc and len(given.folds) == 1 and not given.has_groups


METHOD = IntervalMethod(
    "delong",
    _applies,
    lambda given, level: interval(given.folds[0].positive, given.folds[0].scores, level),
    rank=lambda given: 3,
)
