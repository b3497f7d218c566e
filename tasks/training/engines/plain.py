"""The plain engine: Keras's `fit` on the seeded batches; other engines must give its bits."""

import warnings
from collections.abc import Iterator
from itertools import islice
from operator import itemgetter
from typing import Any

from foldproof.tasks.common.inputs import count_rows, map_inputs
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.training.engines.batch_order import batch_slices, epoch_orders
from foldproof.tasks.training.fold_data import FoldData, Samples
from foldproof.tasks.training.keras_objects import MakeCallbacks, no_callbacks
from foldproof.tasks.training.progress import ProgressWriter
from foldproof.tasks.training.streaming.row_file import RowFile
from foldproof.tasks.training.trained_model import History


def run(
    model: Any,
    fold_data: FoldData,
    train: TrainSpec,
    seed: int,
    progress: ProgressWriter,
    callbacks: MakeCallbacks = no_callbacks,
) -> tuple[History, int, int | None]:
    """Train a compiled, built model.

    Args:
        model: changed in place; ends with the weights of the best epoch under early
            stopping, unless that is not to restore them.
        fold_data: the training rows.
        train: epochs, batch size, shuffling, early stopping.
        seed: of the batch order.
        progress: told after each epoch.
        callbacks: makes those of the user's.

    Returns:
        The history, the epochs run, and the best epoch under early stopping.
    """
    stopping = early_stopping(train)
    held_out, rows = fold_data.held_out, count_rows(fold_data.train.features)
    with warnings.catch_warnings():
        # A generator of exactly epochs x steps batches ends when it should.
        warnings.filterwarnings("ignore", message="Your input ran out of data")
        fitted = model.fit(
            dataset(fold_data.train, train, seed),
            epochs=train.epochs,
            steps_per_epoch=len(batch_slices(rows, train.batch_size)),
            validation_data=_held_out(held_out, train) if held_out else None,
            validation_batch_size=train.batch_size,
            callbacks=[_reporter(progress), *callbacks(), *([stopping] if stopping else [])],
            shuffle=False,  # the batches come in their order
            verbose=0,
        )
    return as_rows(fitted.history), len(fitted.epoch), best_epoch(stopping)


def predict(model: Any, features: Any, train: TrainSpec) -> Any:
    """Return the raw output for some rows; its bits depend on the batch size."""
    if isinstance(features, RowFile):
        return model.predict(in_order([features], train), verbose=0)
    return model.predict(features, batch_size=train.batch_size, verbose=0)


def _held_out(samples: Samples, train: TrainSpec) -> Any:
    """Return the rows that are watched, as `fit` takes them."""
    if isinstance(samples.features, RowFile):
        return in_order([samples.features, samples.targets], train)
    return samples.features, samples.targets


def in_order(arrays: list[Any], train: TrainSpec) -> Any:
    """Return rows in their order as batches that are read one at a time."""
    import tensorflow as tf

    slices = batch_slices(len(arrays[0]), train.batch_size)
    read = tf.data.Dataset.from_generator(
        lambda: (tuple(array[part] for array in arrays) for part in slices),
        output_signature=_signature(arrays),
    )
    return read.apply(tf.data.experimental.assert_cardinality(len(slices)))


def _signature(arrays: list[Any]) -> tuple[Any, ...]:
    import tensorflow as tf

    def of_any_rows(array: Any) -> Any:
        return tf.TensorSpec((None, *array.shape[1:]), array.dtype)

    return tuple(map_inputs(of_any_rows, each) for each in arrays)


def dataset(samples: Samples, train: TrainSpec, seed: int) -> Any:
    """Return the batches of all epochs, in their order, as TensorFlow takes them."""
    import tensorflow as tf

    given = (samples.features, samples.targets, samples.weights)
    parts = [part for part in given if part is not None]

    def batches() -> Iterator[tuple[Any, ...]]:
        rows = count_rows(samples.features)
        orders = epoch_orders(rows, seed, train.shuffle)
        for order in islice(orders, train.epochs):
            for place in batch_slices(rows, train.batch_size):
                yield tuple(map_inputs(itemgetter(order[place]), part) for part in parts)

    return tf.data.Dataset.from_generator(batches, output_signature=_signature(parts))


def early_stopping(train: TrainSpec) -> Any:
    """Return Keras's own early stopping, fresh, or None."""
    given = train.early_stopping
    if given is None:
        return None
    import keras

    return keras.callbacks.EarlyStopping(
        monitor=given.monitor,
        min_delta=given.min_delta,
        patience=given.patience,
        mode=given.mode,
        restore_best_weights=given.restore_best,
        start_from_epoch=given.start_from_epoch,
    )


def best_epoch(stopping: Any) -> int | None:
    """Return the epoch of the best watched value, from 1; None where none was watched."""
    return None if stopping is None or stopping.best is None else stopping.best_epoch + 1


def _reporter(progress: ProgressWriter) -> Any:
    import keras

    return keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: progress.epoch_done(epoch + 1, logs.get("loss"))
    )


def as_rows(history: dict[str, list[Any]]) -> History:
    """Return a Keras history as (epoch, metric, value), by epoch and name."""
    epochs = max((len(values) for values in history.values()), default=0)
    return tuple(
        (epoch + 1, name, float(history[name][epoch]))
        for epoch in range(epochs)
        for name in sorted(history)
    )
