"""Observe a fit: digests of the weights after every epoch, and the order of the rows."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.digest import digest_array
from foldproof.tasks.common.inputs import count_rows
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.training.fold_data import FoldData, Samples
from foldproof.tasks.training.internals.keras_internals import replace_train_function
from foldproof.tasks.training.keras_model import weights_digest
from foldproof.tasks.training.progress import ProgressWriter

MAX_WATCHED_EPOCHS = 5  # epochs whose order is compared


class WeightsProgress(ProgressWriter):
    """Progress of foldproof's own training that keeps a digest of the weights each epoch."""

    def __init__(self, job: FoldJob) -> None:
        """Watch one fit of a fold's job."""
        super().__init__(None, job.repeat, job.fold, job.train.epochs)
        self.digests: list[str] = []
        self._model: Any = None

    def model_built(self, model: Any) -> None:
        """Note the weights before the first batch."""
        self._model = model
        self.digests.append(weights_digest(model))

    def epoch_done(self, epoch: int, loss: float | None) -> None:
        """Note the weights after an epoch."""
        if epoch:
            self.digests.append(weights_digest(self._model))


def weights_callback(digests: list[str]) -> Any:
    """Return a Keras callback that does the same for a fit of Keras's own."""
    import keras

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_begin(self, logs: Any = None) -> None:
            digests.append(weights_digest(self.model))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            digests.append(weights_digest(self.model))

    return Watch()


def row_orders(
    model: Any, fold_data: FoldData, train: TrainSpec, fit: Callable[[FoldData, TrainSpec], Any]
) -> tuple[str, ...]:
    """Run a fit that trains nothing, and note the order in which it delivers the rows.

    The rows carry their numbers as sample weights. Everything that decides their order is
    the fit's own; only the step at the end is replaced, by one that reads the numbers.

    Args:
        model: compiled and built, seeded as for the fit that is meant; used up.
        fold_data: the training rows.
        train: the training settings.
        fit: trains the model on rows as it is told.

    Returns:
        A digest of the order in each of the first few epochs; empty if a model's own ways
        do not let it be seen.
    """
    rows = count_rows(fold_data.train.features)
    numbers: Any = np.arange(rows)  # integers are not rounded on the way, as weights would be
    numbered = Samples(fold_data.train.features, fold_data.train.targets, numbers)
    few = {"epochs": min(train.epochs, MAX_WATCHED_EPOCHS), "early_stopping": None}
    step = _RowReader(int(model.steps_per_execution))
    replace_train_function(model, step)
    fit(
        FoldData(numbered, None, fold_data.preprocessing, fold_data.codes),
        train.model_copy(update=few),
    )
    seen = np.concatenate(step.seen) if step.seen else np.arange(0)
    if seen.size % rows:
        return ()
    return tuple(digest_array(order) for order in seen.reshape(-1, rows))


class _RowReader:
    """Replaces Keras's compiled step, and records the rows instead of training on them."""

    def __init__(self, batches: int) -> None:
        self._batches = batches
        self.seen: list[NDArray[np.int64]] = []

    def __call__(self, iterator: Any) -> dict[str, Any]:
        for _ in range(self._batches):
            _, _, numbers = next(iterator)
            self.seen.append(np.asarray(numbers, np.int64).reshape(-1))
        return {}
