"""Fit a model in loops as users of plain Keras and scikit-learn write them, right or wrong."""

import copy
import random
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.audit.causes import MAX_THREAD_PAIRS, Way
from foldproof.tasks.audit.watch import row_orders, weights_callback
from foldproof.tasks.common.inputs import map_inputs
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.outputs import Activation
from foldproof.tasks.folds.target_scaling import TargetScaling
from foldproof.tasks.training.engines import plain
from foldproof.tasks.training.estimator import fit_estimator, predict_estimator
from foldproof.tasks.training.fold_data import FoldData
from foldproof.tasks.training.keras_model import (
    complete,
    is_keras,
    output_activation,
    weights_digest,
)
from foldproof.tasks.training.keras_objects import make_callbacks
from foldproof.tasks.training.preprocessing.features import as_float32
from foldproof.tasks.training.seeding import seed_estimator
from foldproof.tasks.user_code.builder import call_builder


@dataclass(frozen=True)
class Fitted:
    """A fitted model as it was at the end of its fit.

    Attributes:
        predict: scaled features to raw output.
        activation, epochs, weights: as in `tasks.audit.trial.Fit`.
        target_scaling: how the targets that it learned were scaled, or None.
    """

    predict: Callable[[NDArray[Any]], NDArray[Any]]
    activation: Activation
    epochs: tuple[str, ...]
    weights: str | None
    target_scaling: TargetScaling | None = None


@dataclass(frozen=True)
class UserLoop:
    """Fits of one fold, one after another or side by side.

    Attributes:
        builder: the user's function.
        job: the fold.
        fold_data: its training rows.
    """

    builder: Callable[..., Any]
    job: FoldJob
    fold_data: FoldData

    def run(self, way: Way, times: int) -> list[Fitted]:
        """Fit as often as asked, in one of the ways of users."""
        if way == "same_model":
            return self._same_model(times)
        if way == "threads":
            return self._threads()
        if way == "once":
            self._seed_all()
        return [self._fresh_fit(way) for _ in range(times)]

    def orders(self) -> tuple[str, ...]:
        """Watch the order of the rows in a seeded fit(x, y)."""
        self._seed_all()
        model = self._build()
        return row_orders(
            model, self.fold_data, self.job.train, lambda m, t: _keras_fit(model, m, t, [])
        )

    def _same_model(self, times: int) -> list[Fitted]:
        self._seed_all()
        model = self._build()
        if not is_keras(model):
            seed_estimator(model, self.job.model_seed)
        return [self._fit(model) for _ in range(times)]

    def _fresh_fit(self, way: Way) -> Fitted:
        if way == "numpy":
            np.random.seed(self.job.model_seed)
        elif way == "tensorflow":
            import tensorflow as tf

            tf.random.set_seed(self.job.model_seed)
        elif way != "once":
            self._seed_all()
        return self._fit(self._build())

    def _threads(self) -> list[Fitted]:
        """Fit in two threads at a time, until two fits differ or that was tried enough."""
        for _ in range(MAX_THREAD_PAIRS):
            start = threading.Barrier(2)

            def seeded_fit(start: threading.Barrier = start) -> Fitted:
                start.wait()
                return self._fresh_fit("seeded")

            with ThreadPoolExecutor(2) as pool:
                futures = [pool.submit(seeded_fit) for _ in range(2)]
            pair = [future.result() for future in futures]
            if pair[0].epochs != pair[1].epochs:
                break
        return pair

    def _seed_all(self) -> None:
        seed = self.job.model_seed
        keras: Any = sys.modules.get("keras")
        if keras is not None:
            keras.utils.set_random_seed(seed)
        else:
            random.seed(seed)
            np.random.seed(seed)

    def _build(self) -> Any:
        model = call_builder(self.builder, self.job.builder)
        return complete(model, self.job.builder, self.job.train) if is_keras(model) else model

    def _fit(self, model: Any) -> Fitted:
        scaled = self.fold_data.scaled
        if not is_keras(model):
            fit_estimator(model, self.fold_data)
            now = copy.deepcopy(model)  # a later fit of the same model will change it
            scaling = scaled.scaling if scaled and scaled.for_estimators else None
            return Fitted(
                lambda test: predict_estimator(now, test, self.job), "none", (), None, scaling
            )
        digests: list[str] = []
        callbacks = [*make_callbacks(self.job.train, self.job.builder), weights_callback(digests)]
        _keras_fit(model, self.fold_data.for_keras(), self.job.train, callbacks)
        weights = model.get_weights()

        def predict_keras(features: NDArray[Any]) -> Any:
            model.set_weights(weights)  # a later fit of the same model has changed them
            return plain.predict(model, map_inputs(as_float32, features), self.job.train)

        end = weights_digest(model)
        given = (output_activation(model), tuple(digests), end)
        return Fitted(predict_keras, *given, None if scaled is None else scaled.scaling)


def _keras_fit(model: Any, fold_data: FoldData, train: TrainSpec, callbacks: list[Any]) -> None:
    """Call fit(x, y) on arrays with the configured settings."""
    stopping, held_out = plain.early_stopping(train), fold_data.held_out
    model.fit(
        fold_data.train.features,
        fold_data.train.targets,
        sample_weight=fold_data.train.weights,
        batch_size=train.batch_size,
        epochs=train.epochs,
        shuffle=train.shuffle,
        validation_data=(held_out.features, held_out.targets) if held_out else None,
        validation_batch_size=train.batch_size,
        callbacks=[*callbacks, *([stopping] if stopping else [])],
        verbose=0,
    )
