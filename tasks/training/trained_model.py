"""The result of training a Keras model or an estimator."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from foldproof.tasks.folds.initial_state import InitialState
from foldproof.tasks.folds.outputs import Activation
from foldproof.tasks.folds.target_scaling import TargetScaling

History = tuple[tuple[int, str, float], ...]


@dataclass(frozen=True)
class Trained:
    """A trained model, ready to predict.

    Attributes:
        predict: scaled features to raw output, (n, outputs).
        activation: what turns that output into probabilities.
        history: (epoch from 1, metric, value), by epoch.
        epochs_run, best_epoch: None where there are no epochs.
        initial, weights: digests of the weights, None for estimators.
        seconds_build, seconds_fit: for the record.
        start: what the model was before its first batch.
        not_compiled: why the worker could not keep a compiled model, or empty.
        target_scaling: how the targets that it learned were scaled, or None.
    """

    predict: Callable[[Any], NDArray[Any]]
    activation: Activation
    history: History
    epochs_run: int | None
    best_epoch: int | None
    initial: str | None
    weights: str | None
    seconds_build: float
    seconds_fit: float
    start: InitialState = field(default=InitialState())
    not_compiled: str = ""
    target_scaling: TargetScaling | None = None


class Diverged(RuntimeError):
    """The loss is no longer a number."""


def check_converged(history: History) -> None:
    """Refuse a training whose loss became NaN or infinite.

    Raises:
        Diverged: with the epoch it happened in.
    """
    import math

    for epoch, metric, value in history:
        if metric == "loss" and not math.isfinite(value):
            shown = "NaN" if math.isnan(value) else "infinite"
            raise Diverged(f"training diverged: the loss is {shown} in epoch {epoch}")
