"""Train one fold: a pure function of the fold's job, from its rows to its predictions."""

import contextlib
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from foldproof.tasks.common.digest import digest_arrays
from foldproof.tasks.common.inputs import count_rows, map_inputs
from foldproof.tasks.folds.initial_state import InitialState
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.outputs import UnfitOutput, check_width, class_scores
from foldproof.tasks.folds.result import Execution, FinishedFold, now
from foldproof.tasks.machine.memory import peak_mib
from foldproof.tasks.machine.numerics import Numerics
from foldproof.tasks.training.dtype_policy import load_with_policy
from foldproof.tasks.training.engines.choose import (
    TRIAL_SEEDS,
    Builder,
    TrialOutcome,
    compile_as_tried,
    compile_model,
    forget_other_runs,
    is_compiled,
    prepare_training,
    trial_shapes,
)
from foldproof.tasks.training.estimator import train_estimator
from foldproof.tasks.training.fold_data import FoldData, prepared, test_features
from foldproof.tasks.training.freshness import optimizer_step, refuse_used_estimator, set_apart
from foldproof.tasks.training.keras_model import (
    fresh_model,
    is_keras,
    output_activation,
    weights_digest,
)
from foldproof.tasks.training.keras_objects import MakeCallbacks, make_callbacks
from foldproof.tasks.training.preprocessing.features import as_float32
from foldproof.tasks.training.progress import ProgressWriter
from foldproof.tasks.training.seeding import seed_everything
from foldproof.tasks.training.streaming.need import refuse_too_large
from foldproof.tasks.training.trained_model import Trained, check_converged
from foldproof.tasks.training.trial_records import TrialRecords, engine_name
from foldproof.tasks.user_code.builder import call_builder

_is_keras_family: dict[str, bool] = {}
_seeded_family: dict[str, bool] = {}


def train_fold(
    job: FoldJob,
    attempt: int,
    slot: str,
    progress_path: Path | None,
    progress: ProgressWriter | None = None,
    records: TrialRecords | None = None,
) -> FinishedFold:
    """Train a fold on its training rows, then predict its test rows.

    Args:
        job: everything that the result follows from.
        attempt: which try this is, for the record.
        slot: the device slot, for the record.
        progress_path: the file that progress is written to, or None.
        progress: who is told instead.
        records: what earlier trials of the model found; without them it is tried here.

    Raises:
        Exception: whatever the user's code raises.
        Diverged: the loss is not finite.
        UnfitOutput: the model's output does not fit the task.
    """
    started_at = now()
    progress = progress or ProgressWriter(progress_path, job.repeat, job.fold, job.train.epochs)
    builder = load_with_policy(job.builder)
    job, fold_data = prepared(job)
    if fold_data.is_streamed and not _builds_keras(builder, job):
        refuse_too_large(job, len(fold_data.codes), "model.builder", "an estimator")
        fold_data = fold_data.in_memory()
    trained = _train(builder, fold_data, job, progress, records)
    check_converged(trained.history)
    started = time.perf_counter()
    rows, features = test_features(job, fold_data)
    raw = _checked_output(trained, features, job)
    seconds_predict = time.perf_counter() - started
    return FinishedFold(
        key=job.key,
        rows=rows,
        raw=raw,
        activation=trained.activation,
        history=trained.history,
        epochs_run=trained.epochs_run,
        best_epoch=trained.best_epoch,
        initial=trained.initial,
        weights=trained.weights,
        predictions=digest_arrays([raw]),
        start=trained.start,
        execution=Execution(
            attempt, slot, started_at, **_measured(trained, job), seconds_predict=seconds_predict
        ),
        notice=trained.not_compiled,
        columns=fold_data.preprocessing.outcome,
        target_scaling=trained.target_scaling,
    )


def _measured(trained: Trained, job: FoldJob) -> dict[str, Any]:
    """Return what a fold took of this process, and the numerics that it has."""
    return {
        "seconds_build": trained.seconds_build,
        "seconds_fit": trained.seconds_fit,
        "peak_rss_mib": peak_mib(),
        "numerics": _numerics(job.numerics),
    }


def compile_run_model(job: FoldJob, records: TrialRecords | None = None) -> None:
    """Compile the model of a run ahead of its folds.

    Args:
        job: a fold of the run.
        records: what earlier trials found, and where to keep what this one finds.
    """
    builder = load_with_policy(job.builder)
    job, fold_data = prepared(job)
    if not _builds_keras(builder, job):
        return
    build = _build_function(builder, job)
    if _may_compile(job, fold_data) and not is_compiled(job.family):
        _compile(build, fold_data.for_keras(), job, records)
    _depends_on_seed(build, job)


def _may_compile(job: FoldJob, fold_data: FoldData) -> bool:
    return job.train.engine != "plain" and not fold_data.is_streamed


def _compile(
    build: Builder, fold_data: FoldData, job: FoldJob, records: TrialRecords | None
) -> None:
    """Compile the model as a record says, or else try it and keep a record."""
    name = engine_name(job.family, trial_shapes(fold_data, job.train))
    known = _outcome(records.read(name)) if records else None
    if known and compile_as_tried(build, job.family, known, fold_data, job.train):
        _note_seeded(job, True)  # else there were no record
        return
    seeded = _depends_on_seed(build, job)
    found = compile_model(build, job.family, fold_data, job.train, _callbacks_of(job))
    if records and found and seeded:
        with contextlib.suppress(OSError):  # the next command will try again
            records.write(name, asdict(found))


def _outcome(recorded: dict[str, Any] | None) -> TrialOutcome | None:
    try:
        return TrialOutcome(**recorded) if recorded else None
    except TypeError:  # not of this kind
        return None


def _train(
    builder: Callable[..., Any],
    fold_data: FoldData,
    job: FoldJob,
    progress: ProgressWriter,
    records: TrialRecords | None,
) -> Trained:
    started = time.perf_counter()
    if _builds_keras(builder, job):
        return _train_keras(builder, fold_data.for_keras(), job, progress, records)
    model = _seeded_call(builder, job)
    refuse_used_estimator(model, job.builder.reference)
    return train_estimator(set_apart(model), fold_data, job, time.perf_counter() - started)


def _builds_keras(builder: Callable[..., Any], job: FoldJob) -> bool:
    """Return whether the builder returns a Keras model; it is called once per worker."""
    if "keras" not in sys.modules:
        return False
    if job.family not in _is_keras_family:
        forget_other_runs(_is_keras_family, job.family)
        _is_keras_family[job.family] = is_keras(_seeded_call(builder, job))
    return _is_keras_family[job.family]


def _seeded_call(builder: Callable[..., Any], job: FoldJob) -> Any:
    seed_everything(job.model_seed, keras_loaded="keras" in sys.modules)
    return call_builder(builder, job.builder)


def _train_keras(
    builder: Callable[..., Any],
    fold_data: FoldData,
    job: FoldJob,
    progress: ProgressWriter,
    records: TrialRecords | None,
) -> Trained:
    started = time.perf_counter()
    build = _build_function(builder, job)
    if records and _may_compile(job, fold_data) and not is_compiled(job.family):
        _compile(build, fold_data, job, records)
    seeded = _depends_on_seed(build, job)
    seeds, callbacks = (job.model_seed, job.order_seed), _callbacks_of(job)
    prepared = prepare_training(build, job.family, *seeds, fold_data, job.train, callbacks)
    initial, start = (
        weights_digest(prepared.model),
        InitialState(optimizer_step(prepared.model), seeded),
    )
    progress.model_built(prepared.model)
    built = time.perf_counter()
    history, epochs, best = prepared.train(fold_data, progress)
    return Trained(
        predict=lambda features: prepared.predict(map_inputs(as_float32, features)),
        activation=output_activation(prepared.model),
        history=history,
        epochs_run=epochs,
        best_epoch=best,
        initial=initial,
        weights=weights_digest(prepared.model),
        seconds_build=built - started,
        seconds_fit=time.perf_counter() - built,
        start=start,
        not_compiled=prepared.not_compiled,
        target_scaling=None if fold_data.scaled is None else fold_data.scaled.scaling,
    )


def _depends_on_seed(build: Builder, job: FoldJob) -> bool:
    """Return whether initial weights depend on the seed; tried once per worker."""
    if job.family not in _seeded_family:
        one, other = (weights_digest(build(seed)) for seed in TRIAL_SEEDS)
        _note_seeded(job, one != other)
    return _seeded_family[job.family]


def _note_seeded(job: FoldJob, seeded: bool) -> None:
    forget_other_runs(_seeded_family, job.family)
    _seeded_family[job.family] = seeded


def _build_function(builder: Callable[..., Any], job: FoldJob) -> Builder:
    def build(seed: int, keep_kernels: bool = False) -> Any:
        return fresh_model(builder, job.builder, job.train, seed, keep_kernels)

    return build


def _callbacks_of(job: FoldJob) -> MakeCallbacks:
    return lambda: make_callbacks(job.train, job.builder)


def _checked_output(trained: Trained, features: Any, job: FoldJob) -> Any:
    raw = trained.predict(features)
    if not isinstance(raw, np.ndarray):
        raise UnfitOutput("the model has several outputs; return one")
    raw = raw.reshape(count_rows(features), -1)
    check_width(raw.shape[1], job.builder.task, job.builder.n_outputs)
    class_scores(raw, trained.activation, job.builder.task)
    return raw


@cache
def _numerics(found: Numerics) -> str:
    """Return the digest of this process's own fingerprint."""
    return found.digest()
