"""scikit-learn's scalers for features of any shape, fitted on training rows only."""

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.folds.preprocess import ColumnOutcome
from foldproof.tasks.user_code.named_parts import import_named

CLASSES = {"standard": "StandardScaler", "minmax": "MinMaxScaler", "robust": "RobustScaler"}

Features = NDArray[np.float32]


class Scaler:
    """A scaler for features of any number of axes, which it sees flattened to two."""

    outcome: tuple[ColumnOutcome, ...] = ()  # that numbers are scaled needs no words

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


def check_scaler(name: str) -> None:
    """Make the scaler once, to see that it can be made.

    Raises:
        InputError: it cannot.
    """
    if name == "none" or name in CLASSES:
        return
    try:
        scaler = make_scaler(name)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # the user's own class: anything can come out
        raise InputError(
            "train.scaler", f"{name} cannot be made without arguments ({error})"
        ) from None
    if not hasattr(scaler, "fit") or not hasattr(scaler, "transform"):
        raise InputError("train.scaler", f"{name} has no fit and transform; give a transformer")
    if needs := _needed_beside_rows(scaler.fit):
        problem = f"{name}.fit needs {needs!r}; a scaler learns from the features alone"
        raise InputError("train.scaler", f"{problem}; give it a default")


def _needed_beside_rows(fit: Any) -> str:
    """Return the first argument without a default after the rows, or nothing."""
    try:
        parameters = list(inspect.signature(fit).parameters.values())[1:]
    except (TypeError, ValueError):  # such as a function of C's
        return ""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in variadic]
    return needed[0] if needed else ""
