"""Training steps of the compiled engine: Keras's own, or one on all weights as a flat vector.

A small net spends most of a step on many tiny operations, and most of those belong to the
optimizer, which goes through the weights one by one. An optimizer that treats every number
alike gives the same bits when it sees all of them as one long vector, in a fraction of the
operations.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from foldproof.tasks.training.internals.keras_internals import (
    call_in_training,
    is_stock,
    training_loss,
)

# Every number of a weight is updated by itself, from its own gradient and slots.
ELEMENTWISE = (
    *("SGD", "RMSprop", "Adam", "AdamW", "Adagrad"),
    *("Adadelta", "Adamax", "Nadam", "Lion", "Ftrl"),
)
MAX_FLAT_WEIGHTS = 2**18  # above, copying weights and gradients costs more than it saves

Data = tuple[Any, ...]


class UnsupportedModel(RuntimeError):
    """A model that the flat step does not support."""


class KerasStep:
    """The model's own `train_step`, whether Keras's or the user's."""

    def __init__(self, model: Any) -> None:
        """Take a compiled, built model whose optimizer is not built yet."""
        self.model = model
        model.optimizer.build(model.trainable_variables)

    def train(self, data: Data) -> Any:
        """Train on one batch and return the logs."""
        return self.model.train_step(data)

    def make_variables(self, data: Data) -> None:
        """Make what Keras makes in the first step; values change."""
        self.model.train_step(data)

    def enter(self) -> None:
        """Get ready for the steps of one call."""

    def leave(self) -> None:
        """Put the weights where the model has them."""

    def finish(self) -> None:
        """Do what Keras does after the last epoch: take averaged weights, if there are any."""
        self.model.optimizer.finalize_variable_values(self.model.trainable_weights)


class FlatStep:
    """Keras's own step, with all trainable weights in one vector during a call of the graph."""

    def __init__(self, model: Any) -> None:
        """Take a compiled, built model whose optimizer is not built yet.

        Raises:
            Unfit: its weights, its optimizer or its step do not allow it.
        """
        _check(model)
        self.model = model
        self._weights = list(model.trainable_variables)
        self._sizes = [int(np.prod(weight.shape)) for weight in self._weights]
        self._vector = keras.Variable(np.zeros(sum(self._sizes), np.float32), name="weights")
        model.optimizer.build([self._vector])

    def train(self, data: Data) -> Any:
        """Train on one batch and return the logs."""
        pieces = self._pieces()
        with _RecordingScope(zip(self._weights, pieces, strict=True)) as scope:
            gradients, logs = self._differentiate(data, pieces)
        scope.apply_updates()
        if any(gradient is None for gradient in gradients):
            raise UnsupportedModel("a weight has no gradient")
        # Keras makes dense what an embedding's gradient leaves out, too.
        dense = [tf.reshape(tf.convert_to_tensor(each), (-1,)) for each in gradients]
        self.model.optimizer.apply([tf.concat(dense, axis=0)], [self._vector])
        return logs

    def make_variables(self, data: Data) -> None:
        """Make what Keras makes in the first step; values change."""
        self._metrics(data, self._loss(data)[1])

    def enter(self) -> None:
        """Copy the model's weights into the vector."""
        flat = [tf.reshape(weight.value, (-1,)) for weight in self._weights]
        self._vector.assign(tf.concat(flat, axis=0))

    def leave(self) -> None:
        """Put the weights where the model has them."""
        for weight, piece in zip(self._weights, self._pieces(), strict=True):
            weight.assign(piece)

    def finish(self) -> None:
        """Do nothing: optimizers that average weights are not supported here."""

    def _pieces(self) -> list[Any]:
        flat = tf.split(self._vector.value.read_value(), self._sizes)
        return [
            piece if len(weight.shape) == 1 else tf.reshape(piece, weight.shape)
            for piece, weight in zip(flat, self._weights, strict=True)
        ]

    def _differentiate(self, data: Data, pieces: Sequence[Any]) -> tuple[list[Any], Any]:
        """Do what Keras's `train_step` does but for the update of the weights."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for piece in pieces:
                tape.watch(piece)
            loss, output = self._loss(data)
        return tape.gradient(loss, list(pieces)), self._metrics(data, output)

    def _loss(self, data: Data) -> tuple[Any, Any]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        model = self.model
        output = call_in_training(model, x)
        return training_loss(model, x, y, output, sample_weight), output

    def _metrics(self, data: Data, output: Any) -> Any:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        return self.model.compute_metrics(x, y, output, sample_weight=sample_weight)


class _RecordingScope(keras.StatelessScope):  # type: ignore[misc]
    """A stateless scope that maps weights to tensors and records updates of other variables."""

    def __init__(self, mapping: Any) -> None:
        super().__init__(list(mapping), collect_losses=True, initialize_variables=False)
        self._updates: dict[int, tuple[Any, Any]] = {}

    def add_update(self, update: tuple[Any, Any]) -> None:
        """Record the new value of a variable."""
        super().add_update(update)
        self._updates[id(update[0])] = update

    def apply_updates(self) -> None:
        """Assign the recorded values, after the scope is left."""
        for variable, value in self._updates.values():
            variable.assign(value)


def _check(model: Any) -> None:
    optimizer, weights = model.optimizer, model.trainable_variables
    reasons = {
        "the model has a train_step of its own": type(model).train_step
        is not keras.Model.train_step,
        "the optimizer does not treat every number alike": not is_stock(optimizer)
        or optimizer.built
        or type(optimizer).__name__ not in ELEMENTWISE
        or optimizer.clipnorm is not None
        or optimizer.global_clipnorm is not None
        or optimizer.use_ema
        or optimizer.loss_scale_factor is not None,
        "there are too few or too many weights": len(weights) < 2
        or sum(int(np.prod(weight.shape)) for weight in weights) > MAX_FLAT_WEIGHTS,
        "a weight is special": any(
            str(weight.dtype) != "float32"
            or weight.constraint is not None
            or getattr(weight, "overwrite_with_gradient", False)
            for weight in weights
        ),
    }
    for reason, applies in reasons.items():
        if applies:
            raise UnsupportedModel(reason)
