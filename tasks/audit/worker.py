"""The function that runs in an audit's worker process: one trial under its conditions."""

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np

from foldproof.tasks.audit.trial import FitResult, Trial, TrialOutcome
from foldproof.tasks.common.digest import digest_arrays
from foldproof.tasks.common.inputs import count_rows
from foldproof.tasks.folds.outputs import check_width
from foldproof.tasks.folds.target_scaling import TargetScaling
from foldproof.tasks.training.dtype_policy import load_with_policy
from foldproof.tasks.training.error_text import describe_failure
from foldproof.tasks.training.internals.tensorflow_internals import onednn_is_on
from foldproof.tasks.workers.in_worker import configure, configure_unchecked

LOG = logging.getLogger(__name__)


def run_trial(trial: Trial, tensorflow: bool) -> TrialOutcome:
    """Train as the trial says; what the user's code raises becomes the outcome's error."""
    conditions = trial.conditions
    if conditions.onednn is None and conditions.determinism:
        configure(trial.job.numerics, tensorflow)
    else:
        configure_unchecked(conditions.threads, tensorflow, conditions.determinism)
    try:
        if conditions.onednn is not None and conditions.onednn != onednn_is_on():
            raise RuntimeError("TensorFlow did not take TF_ENABLE_ONEDNN_OPTS")
        fits = tuple(_our_fits(trial) if trial.way == "foldproof" else _plain_fits(trial))
    except Exception as error:  # the user's code ran: anything can come out
        trace = "".join(traceback.format_exception(error))
        return TrialOutcome(error=describe_failure(error), traceback=trace)
    return TrialOutcome(fits, _orders(trial) if trial.orders else ())


def _our_fits(trial: Trial) -> Iterator[FitResult]:
    """Train by the project's own path; it is told as plain Keras, which gives the same bits."""
    from foldproof.tasks.audit.watch import WeightsProgress
    from foldproof.tasks.training.fold import train_fold

    for number in range(trial.times):
        progress = WeightsProgress(trial.job)
        fold = train_fold(trial.job, 1, "audit", None, progress)
        given = (tuple(progress.digests), fold.weights, fold.activation)
        yield _keep(trial, number, fold.raw, *given, fold.target_scaling)


def _plain_fits(trial: Trial) -> Iterator[FitResult]:
    """Train as users do; the test rows are read after the last fit."""
    from foldproof.tasks.audit.user_loops import UserLoop
    from foldproof.tasks.training.fold_data import prepared, test_features

    job, fold_data = prepared(trial.job)
    loop = UserLoop(load_with_policy(job.builder), job, fold_data)
    fitted = loop.run(trial.way, trial.times)
    _, features = test_features(trial.job, fold_data)
    for number, fit in enumerate(fitted):
        raw = np.asarray(fit.predict(features)).reshape(count_rows(features), -1)
        check_width(raw.shape[1], trial.job.builder.task, trial.job.builder.n_outputs)
        given = (fit.epochs, fit.weights, fit.activation)
        yield _keep(trial, number, raw, *given, fit.target_scaling)


def _keep(
    trial: Trial,
    number: int,
    raw: Any,
    epochs: tuple[str, ...],
    weights: str | None,
    activation: Any,
    scaling: TargetScaling | None,
) -> FitResult:
    path = trial.folder / f"{number}.npy"
    np.save(path, raw if scaling is None else scaling.undone(raw), allow_pickle=False)
    return FitResult(epochs, weights, path, digest_arrays([raw]), activation)


def _orders(trial: Trial) -> tuple[str, ...]:
    """Watch the order of the rows; a model that cannot be watched has none."""
    if "keras" not in sys.modules:
        return ()
    try:
        return _our_orders(trial) if trial.way == "foldproof" else _plain_orders(trial)
    except Exception:  # a fit of the user's own may not bear to be watched
        LOG.debug("the order of the rows could not be watched", exc_info=True)
        return ()


def _our_orders(trial: Trial) -> tuple[str, ...]:
    from foldproof.tasks.audit.watch import row_orders
    from foldproof.tasks.training.engines import plain
    from foldproof.tasks.training.fold_data import prepared
    from foldproof.tasks.training.keras_model import fresh_model
    from foldproof.tasks.training.progress import ProgressWriter

    job, fold_data = prepared(trial.job)
    model = fresh_model(load_with_policy(job.builder), job.builder, job.train, job.model_seed)
    silent = ProgressWriter(None, job.repeat, job.fold, job.train.epochs)
    return row_orders(
        model,
        fold_data.for_keras(),
        job.train,
        lambda fold_data, train: plain.run(model, fold_data, train, job.order_seed, silent),
    )


def _plain_orders(trial: Trial) -> tuple[str, ...]:
    from foldproof.tasks.audit.user_loops import UserLoop
    from foldproof.tasks.training.fold_data import prepared

    job, fold_data = prepared(trial.job)
    return UserLoop(load_with_policy(job.builder), job, fold_data.for_keras()).orders()
