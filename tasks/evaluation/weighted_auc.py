"""The AUC of weighted rows, for many weightings at once; ties count one half."""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def weighted_auc(
    positive: NDArray[np.bool_], scores: Values, weights: NDArray[np.float64]
) -> Values:
    """Return the AUC for each weighting, (draws,); NaN without one of the classes.

    Args:
        positive: which rows are, (n,).
        scores: of the positive class, (n,).
        weights: 0 or more, (draws, n).
    """
    order = np.argsort(scores[~positive], kind="stable")
    controls, cases = scores[~positive][order], scores[positive]
    of_cases, of_controls = weights[:, positive], weights[:, ~positive][:, order]
    below = np.zeros((len(weights), len(controls) + 1))
    np.cumsum(of_controls, axis=1, out=below[:, 1:])
    left, right = (np.searchsorted(controls, cases, side=side) for side in ("left", "right"))
    won = (of_cases * (below[:, left] + below[:, right]) / 2).sum(axis=1)
    return ratio(won, of_cases.sum(axis=1) * below[:, -1])


def ratio(part: Values, whole: Values) -> Values:
    """Return part / whole, NaN where the whole is nothing."""
    out = np.full(len(part), np.nan)
    return np.asarray(np.divide(part, whole, out=out, where=whole > 0))
