"""The result of every reader: features and the other columns, unchecked."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foldproof.tasks.common.inputs import any_input
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.table_on_disk import TableOnDisk


@dataclass(frozen=True)
class RawData:
    """Samples before any check of their values.

    Attributes:
        features: a table of n rows, in memory or on disk, or an array of shape (n, ...); of several
            inputs a dict of these, in memory.
        target: the values to predict, (n,), not yet labels; several are numbers, (n, k).
        settings: the data settings as they were resolved.
        groups: one value a sample, (n,), or None.
        weights: one number a sample, (n,), or None.
        time: one time a sample, (n,), or None.
        id: one name a sample, (n,), or None.
        folds: the predefined fold of each sample, (n,), or None.
        notices: what was unusual about the source, a line each.
        target_names: of several columns to predict; empty for one, and for arrays.
    """

    features: pa.Table | TableOnDisk | NDArray[Any] | dict[str, Any]
    target: NDArray[Any]
    settings: DataSpec
    groups: NDArray[Any] | None = None
    weights: NDArray[Any] | None = None
    time: NDArray[Any] | None = None
    id: NDArray[Any] | None = None
    folds: NDArray[Any] | None = None
    notices: tuple[str, ...] = ()
    target_names: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """The number of samples."""
        return len(any_input(self.features))

    def with_notices(self, notices: Iterable[str]) -> "RawData":
        """Return the same samples with more to tell of their source."""
        return replace(self, notices=(*notices, *self.notices))

    def with_settings(self, **resolved: Any) -> "RawData":
        """Return the same samples with some settings resolved."""
        return replace(self, settings=self.settings.model_copy(update=resolved))

    def in_memory(self) -> "RawData":
        """Return the same samples with their features read, if these are a table on disk."""
        features = self.features
        return (
            replace(self, features=features.read()) if isinstance(features, TableOnDisk) else self
        )


def values(column: pa.ChunkedArray) -> NDArray[Any]:
    """Return a column as an array: numbers as they are, text as objects, null as None or NaN."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_boolean(column.type) and column.null_count:
        return np.asarray(column.to_pylist(), dtype=object)
    return np.asarray(column.to_numpy())
