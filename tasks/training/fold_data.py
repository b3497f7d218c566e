"""Read a fold's rows in a worker: training rows first, test rows only after training.

The files of the whole data set are mapped only while rows are copied out of them: while
the model trains, no test row is in the process's hands.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.inputs import map_inputs, sample_shapes
from foldproof.tasks.data.dataset import CODES, GROUPS, TARGETS, TIMES, WEIGHTS, class_targets
from foldproof.tasks.data.npy import take_rows
from foldproof.tasks.data.stored_features import FEATURES, WIDE, WIDE_PLACES
from foldproof.tasks.data.tables.frames import FRAME, as_frame, categories_in, take_frame
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.split.holdout import inner_split
from foldproof.tasks.training.preprocessing.features import as_float32
from foldproof.tasks.training.preprocessing.fitted import Fitted, fit_preprocessing
from foldproof.tasks.training.preprocessing.targets import ScaledTargets, scale_targets
from foldproof.tasks.training.resampling import resampled
from foldproof.tasks.training.sample_weights import Weights, sample_weights
from foldproof.tasks.training.streaming.fit import fit_streamed, write_streamed
from foldproof.tasks.training.streaming.need import streams
from foldproof.tasks.training.streaming.row_file import RowFile


@dataclass(frozen=True)
class Samples:
    """Rows ready for a model: preprocessed features, targets, and weights or None.

    Features of several inputs are a dict. Those that would not fit in memory are a `RowFile`, to be
    indexed by rows as an array is.
    """

    features: Any
    targets: NDArray[Any]
    weights: Weights | None


@dataclass(frozen=True)
class FoldData:
    """Preprocessed training rows, held-out rows and the fitted preprocessing of one fold.

    Attributes:
        train: the rows to compute gradients on.
        held_out: the rows that early stopping monitors, or None.
        preprocessing: fitted on `train` only.
        codes: of `train`: sorted label codes, or values float64.
        known: the categories of `train`, by column; of several inputs by the input's name.
        scaled: the targets as they are learned, where train.target_scaler scales them.
    """

    train: Samples
    held_out: Samples | None
    preprocessing: Fitted
    codes: NDArray[Any]
    known: Any = field(default_factory=dict)
    scaled: ScaledTargets | None = None

    @property
    def is_streamed(self) -> bool:
        """Whether features are in a file, from which batches are gathered."""
        return isinstance(self.train.features, RowFile)

    def in_memory(self) -> "FoldData":
        """Return the same with the training rows' features as an array, for estimators."""
        if not self.is_streamed:
            return self
        return replace(self, train=replace(self.train, features=self.train.features[:]))

    def for_keras(self) -> "FoldData":
        """Return the same as a Keras model takes it: features, and scaled targets, in float32.

        Raises:
            InputError: a column holds no numbers.
        """
        scaled = self.scaled
        train = _for_keras(self.train, None if scaled is None else scaled.train)
        held = self.held_out and _for_keras(
            self.held_out, None if scaled is None else scaled.held_out
        )
        return replace(self, train=train, held_out=held)

    def for_estimators(self) -> NDArray[Any]:
        """Return what an estimator learns: codes, values, or scaled values if that was asked."""
        if self.scaled is None or not self.scaled.for_estimators:
            return self.codes
        return self.scaled.train


def _for_keras(samples: Samples, scaled: NDArray[np.float64] | None) -> Samples:
    targets = samples.targets
    if scaled is not None:
        targets = scaled.astype(np.float32).reshape(targets.shape)
    features = map_inputs(as_float32, samples.features)
    return replace(samples, features=features, targets=targets)


def training_data(job: FoldJob) -> FoldData:
    """Read, preprocess and weight a fold's training rows.

    Raises:
        InputError: early stopping cannot hold out rows.
    """
    inner, held = inner_rows(job)
    codes = _take(job, CODES, inner)
    known: Any = {}
    if streams(job, len(inner) + len(held)):
        fitted, features = fit_streamed(job, inner, partial(unscaled_features, job))
    else:
        raw, known = _raw_training_rows(job, inner)
        fitted, features = fit_preprocessing(job, raw, codes)
    targets = _take(job, TARGETS, inner)
    if job.train.sampler is not None:
        sampled = (job.train.sampler, features, codes, job.preprocessing_seed, job.builder.search)
        features, codes = resampled(*sampled)
        targets = class_targets(codes, job.labels, job.positive)
    own = _take(job, WEIGHTS, inner) if (job.data / WEIGHTS).exists() else None
    weights = sample_weights(job.train, job.labels, codes, own)
    return FoldData(
        train=Samples(features, targets, weights),
        held_out=_held_out(job, held, fitted, known, features) if len(held) else None,
        preprocessing=fitted,
        codes=codes,
        known=known,
        scaled=_scaled_targets(job, codes, held),
    )


def _scaled_targets(
    job: FoldJob, values: NDArray[Any], held: NDArray[np.int64]
) -> ScaledTargets | None:
    held_out = _take(job, CODES, held) if len(held) else None
    return scale_targets(job.train.target_scaler, values, held_out)


def _raw_training_rows(job: FoldJob, rows: NDArray[np.int64]) -> tuple[Any, Any]:
    """Copy training rows out of the data, and tell the categories that they have."""
    if job.inputs:
        found = {name: _raw_training_rows(part, rows) for name, part in job.parts.items()}
        raw = {name: pair[0] for name, pair in found.items()}
        return raw, {name: pair[1] for name, pair in found.items()}
    if not (job.data / FRAME).exists():
        return unscaled_features(job, rows), {}
    table = take_frame(job.data / FRAME, rows)
    known = categories_in(table)
    return as_frame(table, known), known


def _raw_rows(job: FoldJob, rows: NDArray[np.int64], known: Any) -> Any:
    if job.inputs:
        return {name: _raw_rows(part, rows, known[name]) for name, part in job.parts.items()}
    if (job.data / FRAME).exists():
        return as_frame(take_frame(job.data / FRAME, rows), known)
    return unscaled_features(job, rows)


def prepared(job: FoldJob) -> tuple[FoldJob, FoldData]:
    """Return a fold's training rows, and its job with the shape that its samples have then.

    Raises:
        InputError: they cannot be preprocessed.
    """
    fold_data = training_data(job)
    return job.with_input(sample_shapes(fold_data.train.features)), fold_data


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
    may_scale = job.preprocess.way != "scaler" or job.train.scaler != "none"
    if not may_scale or not (job.data / WIDE).exists():
        return features
    wide = features.astype(np.float64)
    wide.reshape(len(rows), -1)[:, np.load(job.data / WIDE_PLACES)] = _take(job, WIDE, rows)
    return wide


def test_features(job: FoldJob, fold_data: FoldData) -> tuple[NDArray[np.int64], Any]:
    """Return the test rows' positions and preprocessed features; call it after training."""
    rows = np.load(job.test_path)
    like = fold_data.train.features
    return rows, _transformed(job, rows, fold_data.preprocessing, fold_data.known, like)


def _transformed(
    job: FoldJob, rows: NDArray[np.int64], fitted: Fitted, known: Any, like: Any
) -> Any:
    """Return other rows as the training rows are: in memory, or in a file."""
    if isinstance(like, RowFile):
        return write_streamed(fitted, rows, partial(unscaled_features, job))
    return fitted.transform(_raw_rows(job, rows, known), own=True)


def _divide(
    job: FoldJob, rows: NDArray[np.int64], codes: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if job.train.early_stopping is None:
        return np.arange(len(rows)), np.arange(0)
    groups = _take(job, GROUPS, rows) if job.inner.endswith("groups") else None
    times = _take(job, TIMES, rows) if (job.data / TIMES).exists() else None
    fraction = job.train.early_stopping.fraction
    return inner_split(job.inner, fraction, job.inner_seed, codes, groups, times, job.inner_gap)


def _held_out(
    job: FoldJob, rows: NDArray[np.int64], fitted: Fitted, known: Any, like: Any
) -> Samples:
    features = _transformed(job, rows, fitted, known, like)
    return Samples(features, _take(job, TARGETS, rows), None)


def _take(job: FoldJob, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
    return take_rows(job.data / name, rows)
