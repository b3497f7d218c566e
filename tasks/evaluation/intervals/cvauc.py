"""The influence-curve interval of a cross-validated AUC.

LeDell, Petersen, van der Laan (2015), Computationally efficient confidence intervals for
cross-validated area under the ROC curve estimates, Electronic Journal of Statistics 9,
1583, https://doi.org/10.1214/15-EJS1035. Ties count one half in the AUC and nothing in the
influence curve.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.intervals.types import (
    Interval,
    IntervalMethod,
    MetricByFold,
    ScoredFold,
)


def interval(folds: Sequence[ScoredFold], level: float) -> Interval:
    """Return the interval around the mean of the folds' AUCs, within [0, 1].

    Args:
        folds: each with at least one positive and one negative test row.
        level: such as 0.95.
    """
    from scipy import stats

    n = sum(fold.n_test for fold in folds)
    share = sum(int(_positive(fold).sum()) for fold in folds) / n
    aucs, variances = zip(*(_fold(fold, share) for fold in folds), strict=True)
    error = math.sqrt(float(np.mean(variances)) / n)
    half = float(stats.norm.ppf((1 + level) / 2)) * error
    mean = float(np.mean(aucs))
    name = f"{level:.0%} cvAUC influence curve, J={len(folds)}, n={n}"
    return Interval(max(0.0, mean - half), min(1.0, mean + half), name)


def _fold(fold: ScoredFold, share: float) -> tuple[float, float]:
    """Return a fold's AUC and the mean square of its influence curve."""
    positive, scores = _positive(fold), np.asarray(fold.scores)
    cases, controls = np.sort(scores[positive]), np.sort(scores[~positive])
    below = np.searchsorted(controls, scores[positive], side="left") / len(controls)
    not_above = np.searchsorted(controls, scores[positive], side="right") / len(controls)
    above = 1 - np.searchsorted(cases, scores[~positive], side="right") / len(cases)
    auc = float(np.mean((below + not_above) / 2))
    curve = np.concatenate([(below - auc) / share, (above - auc) / (1 - share)])
    return auc, float(np.mean(curve**2))


def _positive(fold: ScoredFold) -> NDArray[np.bool_]:
    return np.asarray(fold.positive, dtype=bool)


def _applies(given: MetricByFold) -> bool:
    """Return whether these are AUCs of a binary task, and each row is tested once."""
    is_auc = given.metric == "roc_auc" and all(fold.binary for fold in given.folds)
    return is_auc and given.tests_each_row_once


METHOD = IntervalMethod(
    applies=_applies, compute=lambda given, level: interval(given.folds, level), precedence=1
)
