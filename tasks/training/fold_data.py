"""Read a fold's rows in a worker: training rows first, test rows only after training.

The files of the whole data set are mapped only while rows are copied out of them: while
the model trains, no test row is in the process's hands.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.data.dataset import (
    CODES,
    FEATURES,
    GROUPS,
    TARGETS,
    WEIGHTS,
    WIDE,
    WIDE_PLACES,
)
from foldproof.tasks.data.npy import take_rows
from foldproof.tasks.folds.holdout import inner_split
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.training.sample_weights import Weights, sample_weights
from foldproof.tasks.training.scaler import Scaler

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Samples:
    """Rows ready for a model: scaled float32 features, targets, and weights or None."""

    features: Features
    targets: NDArray[Any]
    weights: Weights | None


@dataclass(frozen=True)
class FoldData:
    """Scaled training rows, held-out rows and the fitted scaler of one fold.

    Attributes:
        train: the rows to compute gradients on.
        held_out: the rows that early stopping monitors, or None.
        scaler: fitted on `train` only.
        codes: of `train`: sorted label codes, or values float64.
    """

    train: Samples
    held_out: Samples | None
    scaler: Scaler
    codes: NDArray[Any]


def training_data(job: FoldJob) -> FoldData:
    """Read, scale and weight a fold's training rows.

    Raises:
        InputError: early stopping cannot hold out rows.
    """
    inner, held = inner_rows(job)
    features = unscaled_features(job, inner)
    scaler = Scaler(job.train.scaler).fit(features)
    codes = _take(job, CODES, inner)
    own = _take(job, WEIGHTS, inner) if (job.data / WEIGHTS).exists() else None
    weights = sample_weights(job.train, job.labels, codes, own)
    return FoldData(
        train=Samples(scaler.transform(features, own=True), _take(job, TARGETS, inner), weights),
        held_out=_held_out(job, held, scaler) if len(held) else None,
        scaler=scaler,
        codes=codes,
    )


def inner_rows(job: FoldJob) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the positions of the rows that gradients come from, and of those held out.

    Raises:
        InputError: early stopping cannot hold out rows.
    """
    rows = np.load(job.train_path)
    inner, held = _divide(job, rows, _take(job, CODES, rows))
    return rows[inner], rows[held]


def unscaled_features(job: FoldJob, rows: NDArray[np.int64]) -> NDArray[Any]:
    """Copy rows of the features out of the data: float32, or float64 where float32 loses values.

    A column whose distinct values would merge as float32 is kept beside the others, for scalers.
    """
    features = _take(job, FEATURES, rows)
    if job.train.scaler == "none" or not (job.data / WIDE).exists():
        return features
    wide = features.astype(np.float64)
    wide.reshape(len(rows), -1)[:, np.load(job.data / WIDE_PLACES)] = _take(job, WIDE, rows)
    return wide


def test_features(job: FoldJob, scaler: Scaler) -> tuple[NDArray[np.int64], Features]:
    """Return the test rows' positions and scaled features; call it after training."""
    rows = np.load(job.test_path)
    return rows, scaler.transform(unscaled_features(job, rows), own=True)


def _divide(
    job: FoldJob, rows: NDArray[np.int64], codes: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if job.train.early_stopping is None:
        return np.arange(len(rows)), np.arange(0)
    groups = _take(job, GROUPS, rows) if job.inner.endswith("groups") else None
    return inner_split(job.inner, job.train.early_stopping.fraction, job.inner_seed, codes, groups)


def _held_out(job: FoldJob, rows: NDArray[np.int64], scaler: Scaler) -> Samples:
    features = scaler.transform(unscaled_features(job, rows), own=True)
    return Samples(features, _take(job, TARGETS, rows), None)


def _take(job: FoldJob, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
    return take_rows(job.data / name, rows)
