"""The variance of areas under ROC curves on the same rows, by DeLong.

DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44; by ranks: Sun, Xu (2014), IEEE Signal
Processing Letters 21.
"""

import numpy as np
from numpy.typing import NDArray


def placements(
    positive: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each row's share of the other class that it beats; a tie is one half.

    Args:
        positive: which rows are, (n,).
        scores: a column a model, (n, k).

    Returns:
        Of the positive rows (m, k) and of the negative ones (n - m, k). The mean of either
        over its rows is the AUC.
    """
    from scipy import stats

    joint = stats.rankdata(scores, axis=0)
    cases, controls = scores[positive], scores[~positive]
    above = (joint[positive] - stats.rankdata(cases, axis=0)) / len(controls)
    not_below = (joint[~positive] - stats.rankdata(controls, axis=0)) / len(cases)
    return above, 1 - not_below


def covariance(cases: NDArray[np.float64], controls: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return S = S10 / m + S01 / n of the AUCs (k, k), from their placements."""
    parts = (np.atleast_2d(np.cov(part, rowvar=False)) / len(part) for part in (cases, controls))
    return np.asarray(sum(parts))
