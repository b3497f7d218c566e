"""Adapt layers of a model that learn from data before training: to a fold's training rows only.

`Normalization`, `Discretization` and `IntegerLookup` of Keras have `adapt`. One that the builder
has adapted already is left as it is. Runs in workers only.
"""

from typing import Any

import numpy as np

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.training.engines import plain
from foldproof.tasks.training.engines.compiled import Builder, NotReusable
from foldproof.tasks.training.internals.keras_internals import all_layers
from foldproof.tasks.training.streaming.row_file import RowFile
from foldproof.tasks.user_code.builder import short_error

OF_EACH_FOLD = "it has layers that are adapted to each fold's training rows"


def adapt_layers(model: Any, features: Any, train: TrainSpec) -> None:
    """Adapt each layer that can be and is not yet, in the model's order.

    Args:
        model: built; changed in place.
        features: of the training rows, as the model takes them.
        train: for the batch size of what stands before a layer.

    Raises:
        InputError: a layer cannot be adapted where it stands.
    """
    for layer in unadapted_layers(model):
        try:
            layer.adapt(_before(model, layer, features, train))
        except Exception as error:
            problem = f"layer {layer.name!r} cannot be adapted ({short_error(error)})"
            remedy = "put it into a functional or sequential model itself, not into one within it"
            raise InputError("model.builder", f"{problem}; {remedy}") from error


def unadapted_layers(model: Any) -> list[Any]:
    """Return the layers that learn from data and have seen none."""
    can = (layer for layer in all_layers(model) if hasattr(layer, "adapt"))
    return [layer for layer in can if not _is_adapted(layer)]


def refusing_unadapted(build: Builder) -> Builder:
    """Return a build function that refuses models with such layers: their steps cannot be reused.

    What a layer was adapted to is a constant of the traced step.
    """

    def checked(seed: int, keep_kernels: bool = False) -> Any:
        model = build(seed, keep_kernels=keep_kernels)
        if unadapted_layers(model):
            raise NotReusable(OF_EACH_FOLD)
        return model

    return checked


def _is_adapted(layer: Any) -> bool:
    """Return whether a layer was given, or has learned, what it needs."""
    if hasattr(layer, "adapt_mean"):
        is_new = not np.any(layer.adapt_mean) and np.all(np.asarray(layer.adapt_variance) == 1)
        return not is_new
    if hasattr(layer, "bin_boundaries"):
        return bool(layer.bin_boundaries)
    if hasattr(layer, "get_vocabulary"):
        return bool(layer.get_vocabulary(include_special_tokens=False))
    return True  # Normalization that was given its mean; layers of others' adapt by themselves


def _before(model: Any, layer: Any, features: Any, train: TrainSpec) -> Any:
    """Return what reaches a layer: the features, or what the layers before it make of them."""
    import keras

    inputs = model.inputs
    place = next((i for i, each in enumerate(inputs) if each is layer.input), None)
    if place is None:
        return plain.predict(keras.Model(inputs, layer.input), features, train)
    given = features[inputs[place].name] if isinstance(features, dict) else features
    return plain.in_order([given], train).map(lambda x: x) if isinstance(given, RowFile) else given
