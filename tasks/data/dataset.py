"""The data set of a run: memory-mapped arrays on disk, with their digest."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foldproof.tasks.common.digest import digest_array, digest_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.inputs import Shapes
from foldproof.tasks.common.task import Task
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.named.inputs import completed
from foldproof.tasks.data.guesses import guess_notes
from foldproof.tasks.data.ids import digest_ids, id_column, id_notes, read_ids, write_ids
from foldproof.tasks.data.sources.raw_table import RawData
from foldproof.tasks.data.sources.read import read
from foldproof.tasks.data.stored_features import StoredFeatures
from foldproof.tasks.data.stored_inputs import feature_names, store_inputs
from foldproof.tasks.data.tables.frames import ColumnFacts
from foldproof.tasks.data.target import Label, Target, resolve_target
from foldproof.tasks.data.target_facts import TargetFacts, target_facts
from foldproof.tasks.data.time_order import in_time_order, time_codes
from foldproof.tasks.data.wide_columns import MergedColumn, merging_target

TARGETS, CODES = "targets.npy", "codes.npy"
GROUPS, WEIGHTS, FOLDS = "groups.npy", "weights.npy", "folds.npy"
TIMES, IDS = "times.npy", "ids.arrow"


@dataclass(frozen=True)
class Dataset:
    """Samples on disk, with their metadata in memory.

    Attributes:
        folder: holds features.npy (float32, C order) or frame.arrow (of several inputs each in
            inputs/NAME), targets.npy (what a Keras model learns), codes.npy (sorted label codes
            int64, or float64 values) and, where given, groups.npy (int64), weights.npy (float32),
            folds.npy (int64), times.npy (int64, ascending: equal times have one number) and
            ids.arrow. Columns that float32 is too coarse for stand in wide.npy (float64), their
            places among the features in wide_places.npy (int64).
        digest: of the samples' content, whatever file they came from, but for ids.
        rows: n.
        feature_shape: the shape of one sample, before it is preprocessed; of several inputs
            that of each by its name.
        task: the kind of task.
        labels: sorted; empty where rows have no one class.
        positive: the positive label of a binary task.
        settings: the data settings as resolved.
        facts: the labels with their counts, or the range of a regression's values.
        notices: what the user should be told of the source.
        tables: the inputs that are tables, each with its columns, which each fold preprocesses;
            the only input has no name. Arrays are not among them.
        merged: the columns of wide.npy.
        merged_target: the values of a regression, if float32 is too coarse for them.
        targets: the names of several targets; empty for one.
        ids_digest: of the rows' ids, or empty; no result but the report depends on them.
        names: of the features of a table, in no digest; empty for an array.
    """

    folder: Path
    digest: str
    rows: int
    feature_shape: Shapes
    task: Task
    labels: tuple[Label, ...]
    positive: Label | None
    settings: DataSpec
    facts: TargetFacts
    notices: tuple[str, ...] = ()
    tables: Mapping[str, tuple[ColumnFacts, ...]] = field(default_factory=dict)
    merged: tuple[MergedColumn, ...] = ()
    merged_target: MergedColumn | None = None
    ids_digest: str = ""
    names: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[ColumnFacts, ...]:
        """The columns of a table that each fold preprocesses; none of an array."""
        return tuple(column for columns in self.tables.values() for column in columns)

    @property
    def classes(self) -> tuple[Label, ...]:
        """The labels in the order of the score columns: sorted, but positive last."""
        rest = tuple(label for label in self.labels if label != self.positive)
        return self.labels if self.positive is None else (*rest, self.positive)

    @property
    def outputs(self) -> int:
        """The number of outputs that a model needs: 1, or one a class, target or value."""
        if self.task in ("multiclass", "ordinal"):
            return len(self.labels)
        return math.prod(self.facts.shape) if self.facts.shape else max(1, len(self.targets))

    def array(self, name: str) -> NDArray[Any] | None:
        """Return one of the arrays, memory-mapped, or None where the data has none."""
        path = self.folder / name
        mapped: NDArray[Any] | None = np.load(path, mmap_mode="r") if path.exists() else None
        return mapped

    def ids(self) -> pa.Array | None:
        """Return the rows' ids, int64 or text (n,), or None where the data has none."""
        return read_ids(self.folder / IDS) if self.ids_digest else None

    def codes(self) -> NDArray[Any]:
        """Return the sorted label codes int64 (n,), or the values float64 (n,)."""
        mapped: NDArray[Any] = np.load(self.folder / CODES, mmap_mode="r")
        return mapped


def prepare_data(spec: DataSpec, fold_column: str | None, folder: Path) -> Dataset:
    """Read a source, check every value and write it to a folder.

    Args:
        spec: the data settings.
        fold_column: the column of a predefined split, or None.
        folder: an existing folder for the arrays.

    Raises:
        InputError: the source or a value in it is not usable.
    """
    raw = read(spec, fold_column)
    times = None if raw.time is None else time_codes(raw.time)
    if times is not None:
        raw, times = in_time_order(raw, times)
    target = resolve_target(raw.target, spec, raw.target_names)
    arrays = {
        TARGETS: _training_targets(target),
        CODES: target.codes,
        GROUPS: _categories("data.groups", raw.groups),
        WEIGHTS: _weights(raw.weights),
        FOLDS: _categories("split.fold_column", raw.folds),
        TIMES: times,
    }
    present = {name: array for name, array in arrays.items() if array is not None}
    for name, array in present.items():
        np.save(folder / name, array, allow_pickle=False)
    features = store_inputs(raw.features, raw.settings, folder)
    dataset = _describe(raw, target, features, present, folder)
    coarse = merging_target(target.codes) if target.task == "regression" else None
    dataset = replace(dataset, merged_target=coarse)
    return dataset if raw.id is None else _with_ids(dataset, id_column(raw.id))


def _with_ids(dataset: Dataset, ids: pa.Array) -> Dataset:
    write_ids(ids, dataset.folder / IDS)
    notices = (*dataset.notices, *id_notes(ids, dataset.settings))
    return replace(dataset, ids_digest=digest_ids(ids), notices=notices)


def _describe(
    raw: RawData,
    target: Target,
    features: Mapping[str, StoredFeatures],
    arrays: dict[str, NDArray[Any]],
    folder: Path,
) -> Dataset:
    digests = {name: digest_array(array) for name, array in arrays.items() if name != TARGETS}
    stored = {name: digest for each in features.values() for name, digest in each.digests.items()}
    content = {**digests, **stored, "labels": target.labels}
    shapes = {name: each.shape for name, each in features.items()}
    return Dataset(
        folder=folder,
        digest=digest_json(content),
        rows=raw.rows,
        feature_shape=shapes.get("", shapes),
        task=target.task,
        labels=target.labels,
        positive=target.positive,
        settings=raw.settings.model_copy(
            update={
                **{"task": target.task, "positive": target.positive},
                "preprocess": completed(raw.settings.preprocess, features),
            }
        ),
        facts=target_facts(target),
        notices=(*raw.notices, *guess_notes(raw.settings, target)),
        names=feature_names(raw.features),
        tables={name: each.columns for name, each in features.items() if each.columns},
        merged=tuple(column for each in features.values() for column in each.merged),
        targets=target.names,
    )


def _training_targets(target: Target) -> NDArray[Any]:
    """Return what a Keras model learns: float32 (n, 1) or (n, ...), or int32 codes (n,)."""
    if target.task == "array":
        return target.codes
    if not target.labels:
        return _float32(target.codes).reshape(len(target.codes), -1)
    return class_targets(target.codes, target.labels, target.positive)


def class_targets(
    codes: NDArray[Any], labels: tuple[Label, ...], positive: Label | None
) -> NDArray[Any]:
    """Return what a Keras model learns of classes: int32 codes (n,), or float32 (n, 1) if binary.

    Args:
        codes: sorted label codes, (n,).
        labels: sorted.
        positive: of a binary task, else None.
    """
    if positive is None:
        return np.asarray(codes, dtype=np.int32)
    place = [label == positive for label in labels].index(True)
    return np.asarray(codes == place, dtype=np.float32).reshape(-1, 1)


def _float32(values: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # reported in words
        single = values.astype(np.float32)
    bad = int(np.isinf(single).sum())
    if bad:
        problem = f"{bad} of {len(values)} values are infinite as float32; scale them down"
        raise InputError("data.target", problem)
    return single


def _categories(setting: str, values: NDArray[Any] | None) -> NDArray[np.int64] | None:
    """Code any column by the sorted order of its values."""
    if values is None:
        return None
    gaps = sum(value is None or value != value for value in values)
    if gaps:
        raise InputError(setting, f"{gaps} of {len(values)} values are missing; remove those rows")
    try:
        return np.unique(values, return_inverse=True)[1].astype(np.int64)
    except TypeError:
        raise InputError(setting, "mixes text and numbers; make all values of one kind") from None


def _weights(values: NDArray[Any] | None) -> NDArray[np.float32] | None:
    if values is None:
        return None
    if values.dtype.kind not in "biuf":
        raise InputError("data.weights", f"holds {values.dtype}; weights must be numbers")
    with np.errstate(over="ignore"):  # reported in words
        weights = values.astype(np.float32)
    bad = int(np.sum(~(np.isfinite(weights) & (weights >= 0))))
    if bad:
        problem = f"{bad} of {len(weights)} values are missing, negative or infinite"
        raise InputError("data.weights", f"{problem}; give each row a number from 0 up")
    if not weights.any():
        raise InputError("data.weights", "all are zero; give some rows a weight")
    return weights
