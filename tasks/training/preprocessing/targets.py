"""scikit-learn's scaler for the targets of a regression, fitted on training rows only."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.config.train import TargetScaler
from foldproof.tasks.folds.target_scaling import TargetScaling


@dataclass(frozen=True)
class ScaledTargets:
    """A fold's targets as they are learned, with the scaling that gave them.

    Attributes:
        scaling: fitted on `train`.
        train: of the rows that gradients come from, float64.
        held_out: of those that early stopping watches, or None.
        for_estimators: an estimator learns them, too, not only a net.
    """

    scaling: TargetScaling
    train: NDArray[np.float64]
    held_out: NDArray[np.float64] | None
    for_estimators: bool


def scale_targets(
    how: TargetScaler, values: NDArray[Any], held_out: NDArray[Any] | None
) -> ScaledTargets | None:
    """Fit a scaling of targets on training rows; None where nothing is scaled.

    Args:
        how: the setting.
        values: of the rows that gradients come from, float64 (n,) or (n, k).
        held_out: of those that early stopping watches, or None.
    """
    if how == "none":
        return None
    from sklearn.preprocessing import StandardScaler

    fitted = StandardScaler().fit(values.reshape(len(values), -1).astype(np.float64))
    scaling = TargetScaling(tuple(fitted.mean_.tolist()), tuple(fitted.scale_.tolist()))
    held = None if held_out is None else scaling.scaled(held_out)
    return ScaledTargets(scaling, scaling.scaled(values), held, how == "standard")
