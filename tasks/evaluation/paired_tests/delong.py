"""DeLong's test of two areas under ROC curves on the same rows.

DeLong, DeLong, Clarke-Pearson (1988), Comparing the areas under two or more correlated
receiver operating characteristic curves: a nonparametric approach, Biometrics 44.
"""

import math

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.auc_variance import covariance, placements
from foldproof.tasks.evaluation.paired_tests.types import (
    CONSTANT,
    SAME,
    Pair,
    PairedMethod,
    PairedTest,
)

NAME = "DeLong, pooled out-of-fold scores"
CAVEAT = (
    "the scores of different folds' models are pooled: the test takes them as one model's, "
    "and leaves out how much models vary from fold to fold"
)
FEW = "none: DeLong's variance needs two positive and two negative rows"


def compare(
    positive: NDArray[np.bool_],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    level: float,
) -> PairedTest:
    """Return z = (A - B) / sqrt(var(A - B)), normal, with the interval of the difference.

    Args:
        positive: which rows are, (n,).
        first: the first model's scores of the positive class, (n,).
        second: the second model's of the same rows.
        level: of the interval, such as 0.95.
    """
    from scipy import stats

    if min(positive.sum(), (~positive).sum()) < 2:
        return PairedTest(NAME, None, note=FEW)
    cases, controls = placements(positive, np.column_stack([first, second]))
    contrast = cases[:, :1] - cases[:, 1:], controls[:, :1] - controls[:, 1:]
    difference = float(contrast[0].mean())
    if all(np.ptp(part) == 0 for part in contrast):
        alike = difference == 0
        note = SAME if alike else CONSTANT
        return PairedTest(NAME, difference, p=1.0 if alike else None, note=f"{note}; {CAVEAT}")
    error = math.sqrt(float(covariance(*contrast)[0, 0]))
    half = float(stats.norm.ppf((1 + level) / 2)) * error
    p = 2 * float(stats.norm.sf(abs(difference) / error))
    low, high = difference - half, difference + half
    return PairedTest(NAME, difference, low, high, difference / error, p, CAVEAT)


def _tests(pair: Pair, level: float) -> list[PairedTest]:
    """Return the test for AUCs over one division, whose rows must be independent of each other.

    leave_one_out is left out: a model trained without a row has seen one more of the other
    class, so that even a constant model ranks all rows the wrong way round when pooled.
    """
    division, pooled = pair.division, pair.pooled
    if pair.metric != "roc_auc" or pooled is None or not division.tests_each_row_once:
        return []
    if not pooled.is_binary:
        return []
    if division.method == "leave_one_out":
        reason = "leaving a row out shifts its score"
    elif division.grouped:
        reason = "rows of one group are not independent"
    else:
        scores = pooled.first.scores[:, 0], pooled.second.scores[:, 0]
        return [compare(np.asarray(pooled.first.truth == 1), *scores, level)]
    return [PairedTest("", None, note=f"none by DeLong: {reason}")]


METHOD = PairedMethod(_tests, order=3)
