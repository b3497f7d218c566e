"""A compiled model per worker: later folds copy their fresh variables into it.

The fresh model still defines the fold: it is built with the fold's seed, and every one of
its variables (weights, seed generators, optimizer) is copied. That is done only where it
is provably the same: the architectures are equal, and a trial on two other seeds gave the
same bits both ways. The fastest way that passes the trial is taken; a model that passes none
trains as Keras does it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.digest import digest_arrays
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.data.npy import ALIGNMENT
from foldproof.tasks.training.engines import plain
from foldproof.tasks.training.engines.architecture import architecture
from foldproof.tasks.training.engines.batch_order import epoch_orders
from foldproof.tasks.training.error_text import is_exhausted
from foldproof.tasks.training.fold_data import Material, Samples
from foldproof.tasks.training.keras_internals import is_stock
from foldproof.tasks.training.progress import Progress
from foldproof.tasks.training.tensorflow_internals import tensor_in_place
from foldproof.tasks.training.trained_model import History

TRIAL_EPOCHS = 2
TRIAL_SEEDS = (1, 2)
SLICE_SECONDS = 0.3  # how long the graph runs between two reports of progress
LARGE = 2**24  # bytes of an array that is worth sharing between NumPy and TensorFlow
SPECIAL = (
    *("fit", "evaluate", "predict", "reset_metrics", "get_metrics_result"),
    *("make_train_function", "make_test_function", "make_predict_function"),
)

Logs = dict[str, list[float]]
Builder = Callable[..., Any]  # (seed, keep_kernels=False) -> a fresh, complete model


class NotReusable(RuntimeError):
    """Why a model cannot be kept for other folds, in a few words."""


@dataclass(frozen=True)
class CompiledModel:
    """A model with its graphs traced, kept for the folds to come.

    Attributes:
        step: trains the model on a batch; the model holds the state of the fold in hand.
        loop: the graphs.
        signature: the model's architecture.
        slots: what the optimizer adds to its variables when it is built, where it is one of
            Keras's and these are the same for every fold; else None.
        keep_kernels: building a model does not depend on kernels that earlier folds left.
    """

    step: Any
    loop: Any
    signature: str
    slots: tuple[NDArray[Any], ...] | None
    keep_kernels: bool

    @property
    def model(self) -> Any:
        """The model."""
        return self.step.model


def prepare(build: Builder, material: Material, train: TrainSpec) -> CompiledModel:
    """Compile a model for reuse, and prove on a trial that it gives the bits of plain Keras.

    Args:
        build: makes a fresh, complete model from a seed.
        material: of any fold.
        train: the training settings.

    Raises:
        NotReusable: it cannot be reused.
    """
    from foldproof.tasks.training.engines.train_step import FlatStep, KerasStep

    trial = _shortened(material, train.batch_size)
    settings = train.model_copy(update={"epochs": min(train.epochs, TRIAL_EPOCHS)})
    keep_kernels = _builds_the_same(build)
    expected = _tried_plain(build, trial, settings)
    for kind in (FlatStep, KerasStep):
        try:
            compiled = _compile(build, kind, trial, train.batch_size, keep_kernels)
            if _tried_kept(compiled, build, trial, settings) == expected:
                return compiled
        except NotReusable:
            raise
        except Exception as error:  # what the faster way cannot do is left to the next one
            if kind is KerasStep or is_exhausted(error):
                raise
    raise NotReusable("a trial with a compiled model gave other bits than plain Keras")


def adopt(compiled: CompiledModel, fresh: Any) -> Any:
    """Copy a fresh model's state into the compiled one and return that.

    Raises:
        NotReusable: they differ in more than their variables.
    """
    if architecture(fresh) != compiled.signature:
        raise NotReusable("the builder's models differ between folds in more than their weights")
    if compiled.slots is None:
        fresh.optimizer.build(fresh.trainable_variables)
    values = [*fresh.optimizer.variables, *(compiled.slots or ())]
    for kept, new in zip(compiled.model.optimizer.variables, values, strict=True):
        kept.assign(new)
    for kept, new in zip(compiled.model.variables, fresh.variables, strict=True):
        kept.assign(new)
    compiled.model.stop_training = False
    return compiled.model


def _compile(
    build: Builder, kind: Any, trial: Material, batch_size: int, keep_kernels: bool
) -> CompiledModel:
    from foldproof.tasks.training.engines.graph_loop import GraphLoop

    model = build(TRIAL_SEEDS[0])
    _refuse_special(model)
    signature, optimizer = architecture(model), model.optimizer
    before, is_fresh = len(optimizer.variables), is_stock(optimizer) and not optimizer.built
    step = kind(model)
    slots = tuple(map(np.asarray, optimizer.variables[before:])) if is_fresh else None
    step.make_variables(tuple(part[:batch_size] for part in _parts(trial.train)))
    loop = GraphLoop(step, batch_size, _parts(trial.train))
    return CompiledModel(step, loop, signature, slots, keep_kernels)


def _builds_the_same(build: Builder) -> bool:
    """Return whether a model built with another model's kernels is the one built without."""
    seed, other = TRIAL_SEEDS
    without = _digest(build(seed))
    build(other)
    return without == _digest(build(seed, keep_kernels=True))


def _digest(model: Any) -> str:
    return digest_arrays([np.asarray(variable) for variable in model.variables])


def run(
    compiled: CompiledModel, material: Material, train: TrainSpec, seed: int, progress: Progress
) -> tuple[History, int, int | None]:
    """Train the fold whose state the compiled model holds; see `plain.run`."""
    orders = islice(epoch_orders(len(material.train.features), seed, train.shuffle), train.epochs)
    parts = _as_tensors(material.train)
    stopping = plain.early_stopping(train)
    if stopping is None:
        history = _run_slices(compiled.loop, parts, orders, progress)
    else:
        history = _run_watched(compiled, parts, material.held_out, orders, stopping, progress)
    compiled.step.finish()
    if stopping is not None:
        stopping.on_train_end()  # restores the best epoch's weights, if it is to
    rows = plain.as_rows(history)
    return rows, rows[-1][0], plain.best_epoch(stopping)


def _run_slices(
    loop: Any, parts: tuple[Any, ...], orders: Iterator[NDArray[np.int64]], progress: Progress
) -> Logs:
    """Train several epochs at a time, as many as fit between two reports of progress."""
    history: Logs = {}
    done = 0
    while block := list(islice(orders, loop.pace)):
        started = time.perf_counter()
        logs = loop.train(parts, np.stack(block))
        for name, values in logs.items():
            history.setdefault(name, []).extend(map(float, values))
        done += len(block)
        progress.epoch_done(done, history.get("loss", [None])[-1])
        per_epoch = (time.perf_counter() - started) / len(block)
        loop.pace = max(1, min(4 * loop.pace, int(SLICE_SECONDS / per_epoch)))
    return history


def _run_watched(
    compiled: CompiledModel,
    parts: tuple[Any, ...],
    held_out: Samples | None,
    orders: Iterator[NDArray[np.int64]],
    stopping: Any,
    progress: Progress,
) -> Logs:
    """Train one epoch at a time and let Keras's own early stopping decide."""
    assert held_out is not None  # early stopping holds rows out
    history: Logs = {}
    watched = _as_tensors(held_out)[:2]
    stopping.set_model(compiled.model)
    stopping.on_train_begin()
    for epoch, order in enumerate(orders):
        logs = {name: float(v[0]) for name, v in compiled.loop.train(parts, order[None]).items()}
        found = compiled.loop.evaluate(*watched)
        logs |= {f"val_{name}": value for name, value in found.items()}
        for name, value in logs.items():
            history.setdefault(name, []).append(value)
        progress.epoch_done(epoch + 1, logs.get("loss"))
        stopping.on_epoch_end(epoch, logs)
        if compiled.model.stop_training:
            break
    return history


def _refuse_special(model: Any) -> None:
    """Refuse what the graph loop would not do as `fit` does.

    Raises:
        NotReusable: with what it is.
    """
    import keras

    own = [name for name in SPECIAL if getattr(type(model), name) is not getattr(keras.Model, name)]
    if own:
        raise NotReusable(f"the model has its own {' and '.join(own)}")
    if model.run_eagerly:
        raise NotReusable("the model was compiled with run_eagerly")
    if model.jit_compile:
        raise NotReusable("the model was compiled with jit_compile")


def _tried_plain(build: Builder, trial: Material, train: TrainSpec) -> Any:
    model = build(TRIAL_SEEDS[1])
    ran = plain.run(model, trial, train, TRIAL_SEEDS[1], Progress(None, 0, 0, train.epochs))
    return _outcome(model, ran, plain.predict(model, trial.train.features, train))


def _tried_kept(compiled: CompiledModel, build: Builder, trial: Material, train: TrainSpec) -> Any:
    model = adopt(compiled, build(TRIAL_SEEDS[1]))
    ran = run(compiled, trial, train, TRIAL_SEEDS[1], Progress(None, 0, 0, train.epochs))
    return _outcome(model, ran, compiled.loop.predict(trial.train.features))


def _outcome(model: Any, ran: Any, raw: Any) -> tuple[Any, ...]:
    """Return all that a training results in, as what can be compared."""
    history, epochs, best = ran
    written = tuple((epoch, name, float(value).hex()) for epoch, name, value in history)
    return _digest(model), digest_arrays([raw]), written, epochs, best


def _shortened(material: Material, batch_size: int) -> Material:
    """Return few rows with what a whole fold has: full batches and, if it has one, a short one."""
    rows = len(material.train.features)
    few = min(rows, 2 * batch_size + rows % batch_size)
    held_out = material.held_out
    return Material(
        train=_first(material.train, few),
        held_out=_first(held_out, batch_size + 1) if held_out else None,
        scaler=material.scaler,
        codes=material.codes[:few],
    )


def _first(samples: Samples, count: int) -> Samples:
    weights = None if samples.weights is None else samples.weights[:count]
    return Samples(samples.features[:count], samples.targets[:count], weights)


def _parts(samples: Samples) -> tuple[NDArray[Any], ...]:
    given = (samples.features, samples.targets, samples.weights)
    return tuple(part for part in given if part is not None)


def _as_tensors(samples: Samples) -> tuple[Any, ...]:
    import tensorflow as tf

    return tuple(_shared(tf, part) for part in _parts(samples))


def _shared(tf: Any, part: NDArray[Any]) -> Any:
    """Return an array as a tensor in the same memory, where it lies as tensors must."""
    if part.nbytes < LARGE or part.ctypes.data % ALIGNMENT or not part.flags.writeable:
        return tf.constant(part)
    return tensor_in_place(part)
