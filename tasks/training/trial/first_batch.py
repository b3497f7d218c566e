"""Try a fresh Keras model on one batch of the first fold, as in training.

What would fail every fold is said before the first one: the model's input and output, its loss,
the metrics it was compiled with, and what early stopping watches. Runs in workers only.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.inputs import map_inputs, sample_shapes
from foldproof.tasks.config.train import is_held_out, no_rows_for
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.outputs import ENDS, UnfitOutput, check_width, class_scores
from foldproof.tasks.training.engines import plain
from foldproof.tasks.training.error_text import is_exhausted
from foldproof.tasks.training.fold_data import FoldData, Samples
from foldproof.tasks.training.internals.keras_internals import (
    all_layers,
    compiled_metrics,
    scheduled_rate,
)
from foldproof.tasks.training.keras_model import output_activation
from foldproof.tasks.training.keras_objects import make_callbacks
from foldproof.tasks.training.trial.input_names import check_names, inputs_of, misfit
from foldproof.tasks.training.trial.loss_check import check_loss
from foldproof.tasks.training.trial.token_lookups import check_lookups, recorded_lookups
from foldproof.tasks.user_code.builder import short_error
from foldproof.tasks.user_code.builder_call import BuilderCall

TOLERANCE = 1e-6  # of probabilities, outside of [0, 1]
TRAINING_LOOP_METHODS = ("fit", "make_train_function")
NO_WEIGHTS = "the model has no weights that train; each fold keeps its initial ones"
LIBRARIES = ("keras", "tensorflow")
WATCHING = ("EarlyStopping", "ReduceLROnPlateau")  # callbacks that do nothing without their value


def try_batch(model: Any, job: FoldJob, fold_data: FoldData, compiled: bool) -> tuple[str, ...]:
    """Run all steps of a fold on one batch; the model is used up afterwards.

    Args:
        model: fresh, compiled and built.
        job: a fold.
        fold_data: of its training rows.
        compiled: the builder compiled it.

    Returns:
        What the user should be told.

    Raises:
        InputError: with what cannot train.
    """
    if job.inputs:
        check_names(model, [name for name, _ in job.inputs])
    places = _sample_rows(fold_data.codes, job.train.batch_size)
    batch = _select(fold_data.train, places)
    output, notices = _output(model, batch, job, fold_data, places)
    _check_output(model, output, job.builder)
    if job.builder.task == "array":
        _check_shape(output.shape[1:], fold_data.train.targets.shape[1:])
    check_loss(model, int(np.prod(output.shape[1:])), fold_data.train.targets, job, compiled)
    _check_step(model, batch, job)
    _check_callbacks(model, batch, job)
    return (*notices, *([] if model.trainable_variables else [NO_WEIGHTS]))


def _sample_rows(codes: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Choose a batch of training rows: one of each class or label, then the first ones."""
    columns = codes.reshape(len(codes), -1).T if codes.dtype.kind == "i" else ()
    firsts = [row for column in columns for row in np.unique(column, return_index=True)[1].tolist()]
    chosen = dict.fromkeys([*firsts, *range(min(count, len(codes)))])
    return np.sort(np.array(list(chosen)[:count], np.int64))


def _select(samples: Samples, places: NDArray[np.int64]) -> Samples:
    weights = None if samples.weights is None else samples.weights[places]
    features = map_inputs(lambda each: each[places], samples.features)
    return Samples(features, samples.targets[places], weights)


def _output(
    model: Any, batch: Samples, job: FoldJob, fold_data: FoldData, places: NDArray[np.int64]
) -> tuple[Any, tuple[str, ...]]:
    """Return the model's output for a batch, and notices about the tokens in it."""
    output, failure = None, None
    with recorded_lookups() as seen:
        try:
            output = model(batch.features, training=False)
        except (Exception, SystemExit) as error:  # the user's own code: anything can come out
            failure = error
    notices = (
        check_lookups(model, seen, job, fold_data, places)
        if seen and any(part.preprocess.way == "scaler" for part in job.parts.values())
        else ()
    )
    if failure is not None:
        if is_exhausted(failure):
            raise failure
        raise InputError(
            "model.builder", _failure_reason(model, failure, batch, job.builder)
        ) from failure
    if getattr(output, "shape", None) is None:
        raise InputError("model.builder", "the model has several outputs; return one")
    return np.asarray(output), notices


def _failure_reason(model: Any, error: BaseException, batch: Samples, call: BuilderCall) -> str:
    """Return why the model fails on a batch, with a remedy."""
    shape, inputs = sample_shapes(batch.features), inputs_of(model)
    if isinstance(shape, dict):
        return misfit(model, shape) or _failure(error, call)
    if len(inputs) > 1:
        names = ", ".join(str(each.name) for each in inputs)
        remedy = f"give it one Input of {shape} and divide that inside"
        problem = f"the model has {len(inputs)} inputs ({names}), but features are one array"
        return f"{problem}; name them in data.inputs, or {remedy}"
    if any(getattr(layer, "stateful", False) for layer in all_layers(model)):
        problem = "a stateful layer needs batches of one size, which the last of a fold has not"
        return f"{problem}; leave stateful=True out"
    if inputs and tuple(inputs[0].shape[1:]) != shape:
        takes = tuple(inputs[0].shape[1:])
        remedy = "let the builder take input_shape, and hand it to Input"
        return f"the model takes samples of shape {takes}, but the data's is {shape}; {remedy}"
    if inputs and inputs[0].shape[0] is not None:
        problem = f"the model takes {inputs[0].shape[0]} rows at a time, but batches differ in size"
        return f"{problem}; leave the batch size out of its Input"
    return _failure(error, call)


def _failure(error: BaseException, call: BuilderCall) -> str:
    problem = f"{call.reference}: the model fails on a batch ({short_error(error)})"
    return f"{problem}; --verbose shows where"


def _check_output(model: Any, output: NDArray[Any], call: BuilderCall) -> None:
    """Refuse an output of the wrong width, or one that is no probability where classes need it.

    Before training it may still be infinite, such as where averages are not known yet.
    """
    try:
        check_width(int(np.prod(output.shape[1:])), call.task, call.n_outputs)
        raw = output.reshape(len(output), -1)
        if np.isfinite(raw).all():
            activation = output_activation(model)
            if activation == "none" and raw.min() > -TOLERANCE and raw.max() < 1 + TOLERANCE:
                return
            class_scores(raw, activation, call.task)
            if call.task == "count" and raw.min() < 0:
                raise UnfitOutput("the model gives negative counts; end it in " + ENDS["count"])
    except UnfitOutput as error:
        raise InputError("model.builder", str(error)) from None


def _check_shape(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Refuse an output of another shape than the target's, but for a last axis of one."""
    if shape not in (wanted, (*wanted, 1)):
        problem = f"the model's output has shape {shape}, but the target's is {wanted}"
        raise InputError("model.builder", f"{problem}; end it in Reshape({wanted})")


def _check_step(model: Any, batch: Samples, job: FoldJob) -> None:
    """Train on the batch once, in a graph where code of the user's own takes part.

    What is Keras's alone does the same without a graph, which takes seconds to trace.
    """
    if any(_overrides(type(model), name) for name in TRAINING_LOOP_METHODS):
        return
    times = getattr(model, "steps_per_execution", 1)
    data = iter(plain.dataset(batch, job.train.model_copy(update={"epochs": times}), 0))
    try:
        if _has_own_code(model):
            model.make_train_function()
            model.train_function(data)
        else:
            model.train_step(next(data))
    except (Exception, SystemExit) as error:  # the user's own code: anything can come out
        if is_exhausted(error):
            raise
        name = job.builder.reference
        problem = (
            f"{name}: a training step on {len(batch.targets)} rows fails ({short_error(error)})"
        )
        raise InputError("model.builder", f"{problem}; --verbose shows where") from error


def _overrides(cls: type, name: str) -> bool:
    import keras

    return getattr(cls, name) is not getattr(keras.Model, name)


def _has_own_code(model: Any) -> bool:
    """Return whether a layer, the loss or a metric is user-defined."""
    metrics = [metric for group in model.metrics for metric in getattr(group, "metrics", [group])]
    given = [model.loss, *_flat(compiled_metrics(model))]
    parts = [*all_layers(model), *metrics]
    return any(_is_foreign(type(part)) for part in parts) or any(map(_is_foreign, _flat(given)))


def _flat(values: Any) -> Iterable[Any]:
    if isinstance(values, dict):
        values = list(values.values())
    if not isinstance(values, list | tuple):
        return [] if values is None or isinstance(values, str) else [values]
    return [item for value in values for item in _flat(value)]


def _is_foreign(thing: Any) -> bool:
    named = thing if hasattr(thing, "__module__") else type(thing)
    return str(named.__module__).split(".")[0] not in LIBRARIES


def _check_callbacks(model: Any, batch: Samples, job: FoldJob) -> None:
    """Refuse callbacks that watch what there is not, or set a rate that a schedule sets."""
    stopping, own = plain.early_stopping(job.train), make_callbacks(job.train, job.builder)
    for callback in own:
        _check_rate(model, callback)
        if stopping is None:
            _refuse_held_out(callback)
    watching = [("train.callbacks", each) for each in own if _needs_its_value(each)]
    if stopping is not None:
        watching.append(("train.early_stopping", stopping))
    usual = {"loss", *(["val_loss"] if stopping is not None else [])}
    if {callback.monitor for _, callback in watching} <= usual:
        return
    known = model.evaluate(batch.features, batch.targets, return_dict=True, verbose=0)
    held_out = {f"val_{name}": value for name, value in known.items()}
    logs = known | ({} if stopping is None else held_out)
    for setting, callback in watching:
        _check_monitor(setting, callback, model, logs)


def _refuse_held_out(callback: Any) -> None:
    """Refuse a callback that watches rows which nothing holds out; some watch only for the best."""
    monitor = getattr(callback, "monitor", None)
    if is_held_out(monitor) and getattr(callback, "save_best_only", True):
        where = f"train.callbacks: {type(callback).__name__}.monitor"
        raise InputError(where, no_rows_for(monitor))


def _needs_its_value(callback: Any) -> bool:
    return not _is_foreign(type(callback)) and type(callback).__name__ in WATCHING


def _check_rate(model: Any, callback: Any) -> None:
    """Refuse a callback of Keras's that sets a learning rate which follows a schedule."""
    import keras

    setters = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)
    schedules = keras.optimizers.schedules.LearningRateSchedule
    if isinstance(callback, setters) and isinstance(scheduled_rate(model.optimizer), schedules):
        name = type(callback).__name__
        problem = f"{name} sets the learning rate, which follows a schedule already"
        raise InputError("train.callbacks", f"{problem}; leave one of the two out")


def _check_monitor(setting: str, callback: Any, model: Any, logs: dict[str, Any]) -> None:
    """Refuse to watch an unknown metric, or one without a known direction."""
    monitor, is_own = callback.monitor, setting == "train.callbacks"
    where = f"{setting}: {type(callback).__name__}" if is_own else setting
    if monitor not in logs:
        problem = f"the model has no {monitor!r}; use one of {', '.join(logs)}"
        raise InputError(f"{where}.monitor", problem)
    callback.set_model(model)
    callback.on_train_begin()
    try:
        callback.on_epoch_end(0, dict(logs))
    except ValueError as error:
        problem = f"Keras cannot tell whether {monitor!r} should be high or low"
        remedy = f'add "mode": "max" (or "min") to {setting}'
        raise InputError(f"{where}.mode", f"{problem}; {remedy}") from error
