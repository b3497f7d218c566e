"""The compiled engine: one traced model per worker, into which each fold copies its variables.

The fresh model still defines the fold: it is built with the fold's seed, and every one of
its variables (weights, seed generators, optimizer) is copied. That is done only where it
is provably the same: the architectures are equal, and a trial on two other seeds gave the
same bits both ways. The fastest way that passes the trial is taken; a model that passes none
trains as Keras does it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.digest import digest_arrays
from foldproof.tasks.common.inputs import count_rows, map_inputs
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.data.npy import ALIGNMENT_BYTES
from foldproof.tasks.training.engines import plain
from foldproof.tasks.training.engines.architecture import architecture
from foldproof.tasks.training.engines.batch_order import epoch_orders
from foldproof.tasks.training.error_text import is_exhausted
from foldproof.tasks.training.fold_data import FoldData, Samples
from foldproof.tasks.training.internals.keras_internals import adds_slots_last
from foldproof.tasks.training.internals.tensorflow_internals import tensor_in_place
from foldproof.tasks.training.keras_objects import MakeCallbacks, no_callbacks
from foldproof.tasks.training.progress import ProgressWriter
from foldproof.tasks.training.trained_model import History

TRIAL_EPOCHS = 2
TRIAL_SEEDS = (1, 2)
PROGRESS_INTERVAL_S = 0.3  # duration of one call of the graph
MIN_SHARED_BYTES = 2**24  # of an array to share between NumPy and TensorFlow
BETWEEN_EPOCHS = ("EarlyStopping", "ReduceLROnPlateau", "LearningRateScheduler")  # Keras's own
UNSUPPORTED_OVERRIDES = (
    *("fit", "evaluate", "predict", "reset_metrics", "get_metrics_result"),
    *("make_train_function", "make_test_function", "make_predict_function"),
)

Logs = dict[str, list[float]]
Builder = Callable[..., Any]  # (seed, keep_kernels=False) -> a fresh, complete model


class NotReusable(RuntimeError):
    """A model that cannot be reused for other folds; the message gives the reason."""


@dataclass(frozen=True)
class CompiledModel:
    """A model with traced graphs, reused for later folds.

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


@dataclass(frozen=True)
class TrialOutcome:
    """What a trial decided, for the same model with arrays of the same shapes.

    Attributes:
        step: the name of the kind of step that passed.
        keep_kernels, signature: as in `CompiledModel`.
    """

    step: str
    keep_kernels: bool
    signature: str


def compile_model(
    build: Builder,
    fold_data: FoldData,
    train: TrainSpec,
    callbacks: MakeCallbacks = no_callbacks,
) -> CompiledModel:
    """Compile a model for reuse, and prove by a trial that it gives the bits of plain Keras.

    Args:
        build: makes a fresh, complete model from a seed.
        fold_data: of any fold.
        train: the training settings.
        callbacks: makes those of the user's.

    Raises:
        NotReusable: it cannot be reused.
    """
    refuse_batch_callbacks(callbacks())
    from foldproof.tasks.training.engines.train_step import FlatStep, KerasStep

    trial = _trial_data(fold_data, train.batch_size)
    settings = train.model_copy(update={"epochs": min(train.epochs, TRIAL_EPOCHS)})
    keep_kernels = _can_keep_kernels(build)
    expected = _plain_trial(build, trial, settings, callbacks)
    for kind in (FlatStep, KerasStep):
        try:
            compiled = _compile(build, kind, trial, train.batch_size, keep_kernels)
            if _compiled_trial(compiled, build, trial, settings, callbacks) == expected:
                return compiled
        except NotReusable:
            raise
        except Exception as error:  # what the faster way cannot do is left to the next one
            if kind is KerasStep or is_exhausted(error):
                raise
    raise NotReusable("a trial with a compiled model gave other bits than plain Keras")


def compile_as_tried(
    build: Builder, outcome: TrialOutcome, fold_data: FoldData, train: TrainSpec
) -> CompiledModel | None:
    """Compile a model as an earlier trial decided; None where it is not the model of that trial.

    Args:
        build: makes a fresh, complete model from a seed.
        outcome: of the trial.
        fold_data: with arrays of the same shapes.
        train: the training settings.
    """
    from foldproof.tasks.training.engines.train_step import FlatStep, KerasStep

    kind = {each.__name__: each for each in (FlatStep, KerasStep)}.get(outcome.step)
    trial = _trial_data(fold_data, train.batch_size)
    try:
        compiled = _compile(build, kind, trial, train.batch_size, outcome.keep_kernels)
    except Exception as error:  # a trial will say whether that matters
        if is_exhausted(error):
            raise
        return None
    return compiled if outcome_of(compiled) == outcome else None


def outcome_of(compiled: CompiledModel) -> TrialOutcome:
    """Return what a trial decided for a model that passed it."""
    return TrialOutcome(type(compiled.step).__name__, compiled.keep_kernels, compiled.signature)


def trial_shapes(fold_data: FoldData, train: TrainSpec) -> list[Any]:
    """Return shapes and types of all arrays that a trial trains on, as plain JSON."""
    trial = _trial_data(fold_data, train.batch_size)
    held_out = _parts(trial.held_out) if trial.held_out else ()
    return [
        [map_inputs(lambda each: [list(each.shape), str(each.dtype)], part) for part in parts]
        for parts in (_parts(trial.train), held_out)
    ]


def load_state(compiled: CompiledModel, fresh: Any) -> Any:
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
    build: Builder, kind: Any, trial: FoldData, batch_size: int, keep_kernels: bool
) -> CompiledModel:
    from foldproof.tasks.training.engines.graph_loop import GraphLoop

    model = build(TRIAL_SEEDS[0])
    _refuse_overrides(model)
    signature, optimizer = architecture(model), model.optimizer
    before, is_fresh = len(optimizer.variables), adds_slots_last(optimizer) and not optimizer.built
    step = kind(model)
    slots = tuple(map(np.asarray, optimizer.variables[before:])) if is_fresh else None
    step.make_variables(tuple(_head(part, batch_size) for part in _parts(trial.train)))
    loop = GraphLoop(step, batch_size, _parts(trial.train))
    return CompiledModel(step, loop, signature, slots, keep_kernels)


def _can_keep_kernels(build: Builder) -> bool:
    """Return whether a model is built the same with and without cached kernels of another."""
    seed, other = TRIAL_SEEDS
    without = _digest(build(seed))
    build(other)
    return without == _digest(build(seed, keep_kernels=True))


def _digest(model: Any) -> str:
    return digest_arrays([np.asarray(variable) for variable in model.variables])


def run(
    compiled: CompiledModel,
    fold_data: FoldData,
    train: TrainSpec,
    seed: int,
    progress: ProgressWriter,
    callbacks: MakeCallbacks = no_callbacks,
) -> tuple[History, int, int | None]:
    """Train the fold whose state was loaded into the compiled model; see `plain.run`."""
    rows = count_rows(fold_data.train.features)
    orders = islice(epoch_orders(rows, seed, train.shuffle), train.epochs)
    parts = _as_tensors(fold_data.train)
    stopping = plain.early_stopping(train)
    watching = [*callbacks(), *([stopping] if stopping else [])]
    if not watching:
        history = _run_slices(compiled.loop, parts, orders, progress)
    else:
        history = _run_watched(compiled, parts, fold_data.held_out, orders, watching, progress)
    compiled.step.finish()
    for callback in watching:
        callback.on_train_end()  # early stopping restores the best epoch's weights, if it is to
    found = plain.as_rows(history)
    return found, found[-1][0], plain.best_epoch(stopping)


def _run_slices(
    loop: Any, parts: tuple[Any, ...], orders: Iterator[NDArray[np.int64]], progress: ProgressWriter
) -> Logs:
    """Train several epochs per call of the graph, as many as fit between two progress reports."""
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
        loop.pace = max(1, min(4 * loop.pace, int(PROGRESS_INTERVAL_S / per_epoch)))
    return history


def _run_watched(
    compiled: CompiledModel,
    parts: tuple[Any, ...],
    held_out: Samples | None,
    orders: Iterator[NDArray[np.int64]],
    watching: Sequence[Any],
    progress: ProgressWriter,
) -> Logs:
    """Train epoch by epoch, with callbacks that act between epochs."""
    history: Logs = {}
    watched = _as_tensors(held_out)[:2] if held_out else ()
    for callback in watching:
        callback.set_model(compiled.model)
    for callback in watching:
        callback.on_train_begin()
    for epoch, order in enumerate(orders):
        for callback in watching:
            callback.on_epoch_begin(epoch)
        logs = {name: float(v[0]) for name, v in compiled.loop.train(parts, order[None]).items()}
        found = compiled.loop.evaluate(*watched) if watched else {}
        logs |= {f"val_{name}": value for name, value in found.items()}
        progress.epoch_done(epoch + 1, logs.get("loss"))
        for callback in watching:
            callback.on_epoch_end(epoch, logs)  # which may add to the logs
        for name, value in logs.items():
            history.setdefault(name, []).append(value)
        if compiled.model.stop_training:
            break
    return history


def refuse_batch_callbacks(callbacks: Sequence[Any]) -> None:
    """Refuse callbacks that are not known to act between epochs only, without side effects.

    Raises:
        NotReusable: there is one.
    """
    import keras

    known = [getattr(keras.callbacks, name) for name in BETWEEN_EPOCHS]
    other = sorted({type(each).__name__ for each in callbacks if type(each) not in known})
    if other:
        raise NotReusable(f"the callback {other[0]} is not known to act between epochs only")


def _refuse_overrides(model: Any) -> None:
    """Refuse models with overrides or options that the graph loop does not support.

    Raises:
        NotReusable: with what it is.
    """
    import keras

    own = [
        name
        for name in UNSUPPORTED_OVERRIDES
        if getattr(type(model), name) is not getattr(keras.Model, name)
    ]
    if own:
        raise NotReusable(f"the model has its own {' and '.join(own)}")
    if model.run_eagerly:
        raise NotReusable("the model was compiled with run_eagerly")
    if model.jit_compile:
        raise NotReusable("the model was compiled with jit_compile")


def _plain_trial(
    build: Builder, trial: FoldData, train: TrainSpec, callbacks: MakeCallbacks
) -> Any:
    model, silent = build(TRIAL_SEEDS[1]), ProgressWriter(None, 0, 0, train.epochs)
    ran = plain.run(model, trial, train, TRIAL_SEEDS[1], silent, callbacks)
    return _outcome(model, ran, plain.predict(model, trial.train.features, train))


def _compiled_trial(
    compiled: CompiledModel,
    build: Builder,
    trial: FoldData,
    train: TrainSpec,
    callbacks: MakeCallbacks,
) -> Any:
    model = load_state(compiled, build(TRIAL_SEEDS[1]))
    silent = ProgressWriter(None, 0, 0, train.epochs)
    ran = run(compiled, trial, train, TRIAL_SEEDS[1], silent, callbacks)
    return _outcome(model, ran, compiled.loop.predict(trial.train.features))


def _outcome(model: Any, ran: Any, raw: Any) -> tuple[Any, ...]:
    """Return all results of a training in a comparable form."""
    history, epochs, best = ran
    written = tuple((epoch, name, float(value).hex()) for epoch, name, value in history)
    return _digest(model), digest_arrays([raw]), written, epochs, best


def _trial_data(fold_data: FoldData, batch_size: int) -> FoldData:
    """Return a few rows with the batch shapes of a whole fold: full ones, and a short last one."""
    rows = count_rows(fold_data.train.features)
    few = min(rows, 2 * batch_size + rows % batch_size)
    held_out = fold_data.held_out
    return FoldData(
        train=_first(fold_data.train, few),
        held_out=_first(held_out, batch_size + 1) if held_out else None,
        preprocessing=fold_data.preprocessing,
        codes=fold_data.codes[:few],
    )


def _first(samples: Samples, count: int) -> Samples:
    weights = None if samples.weights is None else samples.weights[:count]
    return Samples(_head(samples.features, count), samples.targets[:count], weights)


def _head(part: Any, count: int) -> Any:
    return map_inputs(lambda each: each[:count], part)


def _parts(samples: Samples) -> tuple[Any, ...]:
    given = (samples.features, samples.targets, samples.weights)
    return tuple(part for part in given if part is not None)


def _as_tensors(samples: Samples) -> tuple[Any, ...]:
    import tensorflow as tf

    return tuple(map_inputs(lambda each: _shared(tf, each), part) for part in _parts(samples))


def _shared(tf: Any, part: NDArray[Any]) -> Any:
    """Return an array as a tensor, in the same memory if it is large and aligned."""
    if (
        part.nbytes < MIN_SHARED_BYTES
        or part.ctypes.data % ALIGNMENT_BYTES
        or not part.flags.writeable
    ):
        return tf.constant(part)
    return tensor_in_place(part)
