"""Build the user's model once in a worker, and find what cannot train before anything starts."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tasks.builders import call_builder, load_builder
from tasks.config import TrainSpec
from tasks.errors import InputError
from tasks.estimators import check_estimator
from tasks.freshness import refuse_used_estimator
from tasks.jobs import BuilderCall, ModelFacts
from tasks.keras_models import complete, is_keras
from tasks.scores import UnfitOutput, check_width
from tasks.seeding import seed_everything


def inspect_model(call: BuilderCall, train: TrainSpec, weighted: bool) -> ModelFacts:
    """Build the model once, to refuse what cannot train before anything starts.

    Raises:
        InputError: with what is wrong about the builder or its model.
    """
    builder = load_builder(call)
    seed_everything(0, keras_loaded="keras" in sys.modules)
    model = _call(builder, call)
    if is_keras(model):
        facts = _inspect_keras(model, call, train)
        seed_everything(0, keras_loaded=True)
        complete(_call(builder, call), call, train)  # refuses what is not new
        return facts
    if not (hasattr(model, "fit") and hasattr(model, "get_params")) or isinstance(model, type):
        kind = "nothing" if model is None else f"a {type(model).__name__}"
        problem = f"{call.reference} returned {kind}; return a keras.Model or an estimator"
        raise InputError("model.builder", problem)
    check_estimator(model, call.task, weighted)
    others = [_call(builder, call) for _ in range(2)]  # so that two in turn are found, too
    for estimator in (model, *others):
        refuse_used_estimator(estimator, call.reference)
    if train.early_stopping is not None:
        remedy = "leave it out"
        raise InputError("train.early_stopping", f"has no effect on an estimator; {remedy}")
    return ModelFacts("estimator", compiled=False)


def _call(builder: Callable[..., Any], call: BuilderCall) -> Any:
    try:
        return call_builder(builder, call)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # the user's own code: anything can come out
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError("model.builder", f"{call.reference} failed ({reason})") from error


def _inspect_keras(model: Any, call: BuilderCall, train: TrainSpec) -> ModelFacts:
    compiled = bool(model.compiled)
    complete(model, call, train)
    output = model(np.zeros((1, *call.input_shape), np.float32), training=False)
    shape = getattr(output, "shape", None)
    if shape is None:
        raise InputError("model.builder", "the model has several outputs; return one")
    try:
        check_width(int(np.prod(shape[1:])), call.task, call.n_classes or 0)
    except UnfitOutput as error:
        raise InputError("model.builder", str(error)) from None
    _check_monitor(model, output, train, call)
    return ModelFacts("keras", compiled)


def _check_monitor(model: Any, output: Any, train: TrainSpec, call: BuilderCall) -> None:
    stopping = train.early_stopping
    if stopping is None or stopping.monitor in ("loss", "val_loss"):
        return
    targets = np.zeros((1,), np.int32) if call.task == "multiclass" else np.zeros((1, 1))
    features = np.zeros((1, *call.input_shape), np.float32)
    known = model.evaluate(features, targets, return_dict=True, verbose=0)
    names = [*known, *(f"val_{name}" for name in known)]
    if stopping.monitor not in names:
        problem = f"the model has no {stopping.monitor!r}; use one of {', '.join(names)}"
        raise InputError("train.early_stopping.monitor", problem)
