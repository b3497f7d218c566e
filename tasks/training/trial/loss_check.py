"""Check that a Keras loss fits the targets; one that does not fails or learns nothing."""

import functools
from typing import Any

from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.task import CLASSES, NUMBERS
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.training.internals.keras_internals import has_own_loss
from foldproof.tasks.training.keras_model import loss_for

# These take targets of another shape than the output's.
FREE_SHAPE_LOSSES = ("circle", "ctc")
ONE_HOT_LOSSES = ("categorical_crossentropy", "categorical_focal_crossentropy")
BINARY_LOSSES = ("binary_crossentropy", "binary_focal_crossentropy")


def check_loss(model: Any, width: int, targets: NDArray[Any], job: FoldJob, compiled: bool) -> None:
    """Refuse a Keras loss that cannot compare the model's output with the targets.

    A model with steps of its own may use its loss as it likes.

    Args:
        model: compiled.
        width: its outputs.
        targets: of all training rows.
        job: for the task.
        compiled: the builder compiled it, and so chose the loss.

    Raises:
        InputError: with the loss to take instead.
    """
    name = _keras_name(model.loss)
    is_free = not name or has_own_loss(model)
    problem = "" if is_free else _misfit(name, width, targets, job.builder.task)
    if not problem:
        return
    remedy = f"use {loss_for(job.builder.task, width)}"
    if width == 1 and _ends_in_softmax(model):
        remedy += ", and sigmoid: softmax of one unit is always 1"
    if compiled:
        raise InputError("model.builder", f"compiled with {name}, which {problem}; {remedy}")
    raise InputError("train.loss", f"{job.train.loss} {problem}; {remedy}")


def _misfit(name: str, width: int, targets: NDArray[Any], task: str) -> str:
    """Return what is wrong with a loss, or an empty text."""
    by_number, has_classes = name.startswith("sparse_"), task in CLASSES
    if width > 1 and not has_classes and by_number:
        return f"wants the number of one class a row, but there are {width} targets"
    if width > 1 and has_classes and not by_number and name not in FREE_SHAPE_LOSSES:
        kind = (
            "one-hot labels" if name in ONE_HOT_LOSSES else f"a target for each of {width} outputs"
        )
        return f"wants {kind}, but labels are numbers of classes"
    if width == 1 and (by_number or name in ONE_HOT_LOSSES):
        return "wants an output for each class, but the model has one"
    if task in NUMBERS and name in BINARY_LOSSES and (targets.min() < 0 or targets.max() > 1):
        return f"wants targets from 0 to 1, but they go from {targets.min():g} to {targets.max():g}"
    return ""


def _ends_in_softmax(model: Any) -> bool:
    import keras

    last = model.layers[-1] if model.layers else None
    is_softmax = isinstance(last, keras.layers.Softmax)
    return is_softmax or getattr(last, "activation", None) is keras.activations.softmax


def _keras_name(loss: Any) -> str:
    """Return the name of the function behind a Keras loss, or an empty text."""
    import keras

    while isinstance(loss, list | tuple | dict) and len(loss) == 1:
        loss = next(iter(loss.values() if isinstance(loss, dict) else loss))
    if isinstance(loss, str):
        try:
            loss = keras.losses.get(loss)
        except ValueError:  # such as crossentropy, which only `compile` knows
            return ""
    function = getattr(loss, "fn", loss)
    if isinstance(function, functools.partial):
        function = function.func
    is_keras = str(getattr(function, "__module__", "")).startswith("keras.")
    return str(getattr(function, "__name__", "")) if is_keras else ""
