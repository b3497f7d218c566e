"""The influence-curve interval of a cross-validated AUC, on the logit scale.

LeDell, Petersen, van der Laan (2015), Computationally efficient confidence intervals for
cross-validated area under the ROC curve estimates, Electronic Journal of Statistics 9,
1583, https://doi.org/10.1214/15-EJS1035. Ties count one half in the AUC and nothing in the
influence curve. The paper's interval is on the AUC's own scale and is cut at 1: `cvauc_clipped`.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from foldproof.tasks.evaluation.intervals.scales import scale_between
from foldproof.tasks.evaluation.intervals.types import (
    Interval,
    IntervalMethod,
    MetricByFold,
    TestedFold,
    none,
    percent,
)

MIN_OF_A_CLASS = 100  # test rows in each fold, from which it is the default
LOGIT = scale_between(0.0, 1.0)


def interval(folds: Sequence[TestedFold], level: float) -> Interval:
    """Return the interval around the mean of the folds' AUCs, within (0, 1).

    Args:
        folds: each with at least one positive and one negative test row.
        level: such as 0.95.
    """
    return interval_by(LOGIT.around, "logit", folds, level)


def interval_by(
    around: Callable[[float, float], tuple[float, float]],
    name: str,
    folds: Sequence[TestedFold],
    level: float,
) -> Interval:
    """Return the interval whose ends a function makes of the mean AUC and half the plain width.

    Args:
        around: the function.
        name: what it is called.
        folds: each with at least one positive and one negative test row.
        level: such as 0.95.
    """
    from scipy import stats

    mean, error = mean_and_error(folds)
    if error == 0:
        return none("the folds separate perfectly")
    low, high = around(mean, float(stats.norm.ppf((1 + level) / 2)) * error)
    sizes = f"J={len(folds)}, n={sum(fold.n_test for fold in folds)}"
    return Interval(low, high, f"{percent(level)} cvAUC influence curve ({name}), {sizes}")


def mean_and_error(folds: Sequence[TestedFold]) -> tuple[float, float]:
    """Return the mean of the folds' AUCs and its standard error."""
    n = sum(fold.n_test for fold in folds)
    share = sum(int(fold.positive.sum()) for fold in folds) / n
    aucs, variances = zip(*(_fold(fold, share) for fold in folds), strict=True)
    return float(np.mean(aucs)), math.sqrt(float(np.mean(variances)) / n)


def applies(given: MetricByFold) -> bool:
    """Return whether these are AUCs of a binary task, and independent rows are tested once."""
    is_auc = given.metric == "roc_auc" and given.is_binary and given.is_whole
    return is_auc and given.tests_each_row_once and not given.has_groups


def _fold(fold: TestedFold, share: float) -> tuple[float, float]:
    """Return a fold's AUC and the mean square of its influence curve."""
    positive, scores = fold.positive, fold.scores
    cases, controls = np.sort(scores[positive]), np.sort(scores[~positive])
    below = np.searchsorted(controls, scores[positive], side="left") / len(controls)
    not_above = np.searchsorted(controls, scores[positive], side="right") / len(controls)
    above = 1 - np.searchsorted(cases, scores[~positive], side="right") / len(cases)
    auc = float(np.mean((below + not_above) / 2))
    curve = np.concatenate([(below - auc) / share, (above - auc) / (1 - share)])
    return auc, float(np.mean(curve**2))


def _rank(given: MetricByFold) -> int | None:
    """Return 2 where the folds are large enough for it: with smaller ones it is too short."""
    rarer = (min(fold.positive.sum(), (~fold.positive).sum()) for fold in given.folds)
    return 2 if min(rarer) >= MIN_OF_A_CLASS else None


METHOD = IntervalMethod("cvauc", applies, lambda given, level: interval(given.folds, level), _rank)
