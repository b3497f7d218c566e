"""Choose the training engine of a fold; all engines give the same bits.

The compiled engine reuses one model in a worker, where a trial proved its bits; otherwise
the plain engine calls Keras's `fit`.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.training.engines import compiled, plain
from foldproof.tasks.training.engines.adaptation import adapt_layers, refusing_unadapted
from foldproof.tasks.training.engines.compiled import (
    TRIAL_SEEDS,
    Builder,
    CompiledModel,
    NotReusable,
    TrialOutcome,
    trial_shapes,
)
from foldproof.tasks.training.error_text import describe_failure, is_exhausted
from foldproof.tasks.training.fold_data import FoldData
from foldproof.tasks.training.keras_objects import MakeCallbacks, no_callbacks
from foldproof.tasks.training.progress import ProgressWriter
from foldproof.tasks.training.trained_model import History

# The compiled models of this worker by their identity, or the reason why there is none.
_compiled_models: dict[str, CompiledModel | str] = {}

MAX_KEPT_MODELS = 8  # in a worker: those of a run whose folds have inputs of several widths
STREAMED = "their features would not fit in memory and come from disk batch by batch"
MAX_REASON_CHARS = 120  # of why a model is not compiled

__all__ = [
    "TRIAL_SEEDS",
    "Builder",
    "PreparedTraining",
    "TrialOutcome",
    "compile_as_tried",
    "compile_model",
    "forget_other_runs",
    "is_compiled",
    "prepare_training",
    "trial_shapes",
]

Ran = tuple[History, int, int | None]


@dataclass(frozen=True)
class PreparedTraining:
    """A fold whose model is built but not yet trained.

    Attributes:
        model: before its first batch.
        train: trains it, and returns history, epochs run and best epoch.
        predict: features to raw output, once it is trained.
        not_compiled: why it is not the compiled model that the worker keeps, or empty.
    """

    model: Any
    train: Callable[[FoldData, ProgressWriter], Ran]
    predict: Callable[[Any], Any]
    not_compiled: str = ""


def prepare_training(
    build: Builder,
    identity: str,
    seed: int,
    order_seed: int,
    fold_data: FoldData,
    train: TrainSpec,
    callbacks: MakeCallbacks = no_callbacks,
) -> PreparedTraining:
    """Build a fold's model and choose the engine that trains it.

    Args:
        build: makes a fresh, complete model from a seed.
        identity: of the model and its settings; equal for the folds of a run.
        seed: the fold's model seed.
        order_seed: the fold's seed for the batch order.
        fold_data: the training rows.
        train: the training settings; `engine` chooses.
        callbacks: makes those of the user's.

    Raises:
        NotReusable: engine compiled, and it cannot be.
    """
    reason = STREAMED if fold_data.is_streamed and train.stream == "auto" else ""
    if train.engine != "plain" and not fold_data.is_streamed:
        try:
            kept = _compiled_model(build, identity, fold_data, train, callbacks)
            return _compiled_training(kept, build, seed, order_seed, train, callbacks)
        except NotReusable as error:
            reason = str(error)
            if train.engine == "compiled":
                raise
    model = build(seed)
    adapt_layers(model, fold_data.train.features, train)
    return PreparedTraining(
        model,
        lambda m, p: plain.run(model, m, train, order_seed, p, callbacks),
        lambda features: plain.predict(model, features, train),
        reason,
    )


def _compiled_training(
    kept: CompiledModel,
    build: Builder,
    seed: int,
    order_seed: int,
    train: TrainSpec,
    callbacks: MakeCallbacks,
) -> PreparedTraining:
    """Load a fold's fresh state into the model that the worker keeps."""
    model = compiled.load_state(kept, build(seed, keep_kernels=kept.keep_kernels))
    made = callbacks()  # after the seeds are set, as where the model trains as plain Keras
    compiled.refuse_batch_callbacks(made)
    return PreparedTraining(
        model,
        lambda m, p: compiled.run(kept, m, train, order_seed, p, lambda: made),
        kept.loop.predict,
    )


def compile_model(
    build: Builder,
    identity: str,
    fold_data: FoldData,
    train: TrainSpec,
    callbacks: MakeCallbacks = no_callbacks,
) -> TrialOutcome | None:
    """Compile the model of a run ahead of its first fold.

    Returns:
        What its trial decided; None where the model cannot be reused.
    """
    with contextlib.suppress(NotReusable):
        return compiled.outcome_of(_compiled_model(build, identity, fold_data, train, callbacks))
    return None


def compile_as_tried(
    build: Builder, identity: str, outcome: TrialOutcome, fold_data: FoldData, train: TrainSpec
) -> bool:
    """Compile the model of a run as an earlier trial decided, if it is the model of that trial."""
    found = compiled.compile_as_tried(build, outcome, fold_data, train)
    if found is not None:
        forget_other_runs(_compiled_models, identity)
        _compiled_models[identity] = found
    return found is not None


def is_compiled(identity: str) -> bool:
    """Return whether this worker has tried to compile the model of a run."""
    return identity in _compiled_models


def _compiled_model(
    build: Builder, identity: str, fold_data: FoldData, train: TrainSpec, callbacks: MakeCallbacks
) -> CompiledModel:
    known = _compiled_models.get(identity)
    if known is None:
        forget_other_runs(_compiled_models, identity)
        known = _compiled_models[identity] = _compile_or_reason(build, fold_data, train, callbacks)
    if isinstance(known, str):
        raise NotReusable(known)
    return known


def forget_other_runs(known: dict[str, Any], identity: str) -> None:
    """Keep what is known of one run: its models differ in the width of their input alone."""
    run = identity.partition(":")[0]
    if len(known) >= MAX_KEPT_MODELS or any(name.partition(":")[0] != run for name in known):
        known.clear()


def _compile_or_reason(
    build: Builder, fold_data: FoldData, train: TrainSpec, callbacks: MakeCallbacks
) -> CompiledModel | str:
    try:
        return compiled.compile_model(refusing_unadapted(build), fold_data, train, callbacks)
    except NotReusable as error:
        return str(error)
    except Exception as error:  # whatever it is, plain Keras will show it in the user's terms
        if is_exhausted(error):  # that passes: it says nothing about the model
            raise
        reason = describe_failure(error)[:MAX_REASON_CHARS]
        return f"it could not be compiled for reuse ({reason})"
