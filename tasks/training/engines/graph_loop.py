"""The training loop of the compiled engine as one graph: epochs and steps without Python.

Nothing is traced again for another fold: features, targets, weights and orders are
arguments whose row count is open. Full batches have a fixed shape, which runs faster; the
last one of an epoch, short or not, stands apart.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from foldproof.tasks.common.inputs import any_input, map_inputs
from foldproof.tasks.training.internals.keras_internals import logs_of_step

Logs = dict[str, NDArray[np.float64]]


class GraphLoop:
    """Training and evaluation of one model in graphs, at one batch size."""

    def __init__(self, step: Any, batch_size: int, parts: Sequence[Any]) -> None:
        """Prepare the graphs; they are traced when they are first called.

        Args:
            step: trains on one batch; its model has all its variables made.
            batch_size: rows in a batch.
            parts: features, targets and, where given, weights, for their types only; features
                of several inputs are a dict.
        """
        self._step, self._model, self._batch = step, step.model, batch_size
        self.pace = 1  # epochs in a call; whoever calls adapts it to how long they take
        rows = [map_inputs(_rows_of, part) for part in parts]
        orders = tf.TensorSpec((None, None), tf.int64)
        self._names: dict[str, list[str]] = {}
        self._train = tf.function(self._epochs, input_signature=[*rows, orders], autograph=False)
        self._test = tf.function(self._evaluation, input_signature=rows[:2], autograph=False)
        self._predict = tf.function(self._prediction, input_signature=rows[:1], autograph=False)

    def train(self, parts: Sequence[Any], orders: NDArray[np.int64]) -> Logs:
        """Train one epoch for each order and return the logs, each float64 (epochs,)."""
        values = self._train(*parts, orders).numpy()
        return dict(zip(self._names["train"], values.T, strict=True))

    def evaluate(self, features: Any, targets: Any) -> dict[str, float]:
        """Return what `evaluate` would, on rows as they stand."""
        values = self._test(features, targets).numpy()
        return dict(zip(self._names["test"], map(float, values), strict=True))

    def predict(self, features: Any) -> NDArray[Any]:
        """Return what `predict` would, (n, ...)."""
        return np.asarray(self._predict(features))

    def _epochs(self, *arguments: Any) -> Any:
        *parts, orders = arguments
        epochs = tf.shape(orders)[0]
        logs = tf.TensorArray(tf.float64, size=epochs)

        def epoch(number: Any, logs: Any) -> Any:
            return number + 1, logs.write(number, self._epoch(parts, orders[number]))

        self._step.enter()
        loop = {"parallel_iterations": 1, "maximum_iterations": epochs}
        done = tf.while_loop(lambda number, _: number < epochs, epoch, [0, logs], **loop)[1]
        self._step.leave()
        return done.stack()

    def _epoch(self, parts: Sequence[Any], order: Any) -> Any:
        return self._pass(parts, order, self._step.train, "train")

    def _evaluation(self, *parts: Any) -> Any:
        order = tf.range(tf.shape(any_input(parts[0]), out_type=tf.int64)[0])
        return self._pass(parts, order, self._model.test_step, "test")

    def _prediction(self, features: Any) -> Any:
        """Predict full batches and the last one apart; all outputs have one shape."""
        before_last = (tf.shape(any_input(features), out_type=tf.int64)[0] - 1) // self._batch
        count = tf.cast(before_last, tf.int32)
        last = self._model.predict_step(
            (map_inputs(lambda each: each[before_last * self._batch :], features),)
        )
        outputs = tf.TensorArray(last.dtype, count, element_shape=(self._batch, *last.shape[1:]))

        def full_batch(number: Any, outputs: Any) -> Any:
            rows = map_inputs(lambda each: self._full_batch(each, number), features)
            return number + 1, outputs.write(number, self._model.predict_step((rows,)))

        loop = {"parallel_iterations": 1}
        done = tf.while_loop(lambda n, _: n < count, full_batch, [0, outputs], **loop)[1]
        return tf.concat([tf.reshape(done.stack(), (-1, *last.shape[1:])), last], axis=0)

    def _full_batch(self, features: Any, number: Any) -> Any:
        rows = features[number * self._batch : (number + 1) * self._batch]
        return tf.ensure_shape(rows, (self._batch, *features.shape[1:]))

    def _pass(self, parts: Sequence[Any], order: Any, step: Any, kind: str) -> Any:
        """Go through the rows once in batches and return the logs, sorted by name."""
        for metric in self._model.metrics:
            metric.reset_state()
        before_last = (tf.shape(order)[0] - 1) // self._batch

        def full_batch(number: Any) -> Any:
            step(_gather(parts, tf.slice(order, [number * self._batch], [self._batch])))
            return (number + 1,)

        tf.while_loop(lambda n: n < before_last, full_batch, [0], parallel_iterations=1)
        logs = step(_gather(parts, order[before_last * self._batch :]))
        logs = logs_of_step(self._model, logs)
        self._names[kind] = sorted(logs)
        return tf.stack([tf.cast(tf.reshape(logs[name], ()), tf.float64) for name in sorted(logs)])


def _rows_of(part: NDArray[Any]) -> Any:
    return tf.TensorSpec((None, *part.shape[1:]), part.dtype)


def _gather(parts: Sequence[Any], rows: Any) -> tuple[Any, ...]:
    return tuple(map_inputs(lambda each: tf.gather(each, rows), part) for part in parts)
