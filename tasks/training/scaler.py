"""scikit-learn's scalers, fitted on training rows only."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.folds.splitters import import_named

CLASSES = {"standard": "StandardScaler", "minmax": "MinMaxScaler", "robust": "RobustScaler"}

Features = NDArray[np.float32]


class Scaler:
    """A scaler for features of any number of axes, which it sees flattened to two."""

    def __init__(self, name: str) -> None:
        """Make an unfitted scaler: standard, minmax, robust, none or module:Class.

        Raises:
            InputError: an own class cannot be imported.
        """
        self._name = name
        self._scaler = None if name == "none" else make_scaler(name)

    def fit(self, features: NDArray[Any]) -> "Scaler":
        """Learn from training rows, float32 or float64 (n, ...)."""
        if self._scaler is not None:
            self._scaler.fit(features.reshape(len(features), -1))
        return self

    def transform(self, features: NDArray[Any], own: bool = False) -> Features:
        """Return scaled rows, float32, C order, in the shape they came in.

        Args:
            features: float32 or float64 (n, ...).
            own: they are the caller's alone and may be overwritten, which spares a copy.

        Raises:
            InputError: an own scaler returns another shape.
        """
        if self._scaler is None:
            return np.ascontiguousarray(features, dtype=np.float32)
        if isinstance(getattr(self._scaler, "copy", None), bool):  # a setting of scikit-learn's
            self._scaler.copy = not own
        flat = features.reshape(len(features), -1)
        scaled = np.ascontiguousarray(self._scaler.transform(flat), dtype=np.float32)
        if scaled.shape != flat.shape and (scaled.shape != flat.shape[:1] or flat.shape[1] > 1):
            problem = f"{self._name} returns shape {scaled.shape} for {flat.shape}"
            remedy = "a scaler keeps the shape; select or combine features in the builder"
            raise InputError("train.scaler", f"{problem}; {remedy}")
        return scaled.reshape(features.shape)


def make_scaler(name: str) -> Any:
    """Return a fresh scaler of a name or of an import path, with its defaults."""
    if name in CLASSES:
        from sklearn import preprocessing

        return getattr(preprocessing, CLASSES[name])()
    return import_named("train.scaler", name)()
