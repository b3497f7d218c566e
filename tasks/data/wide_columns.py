"""Find columns that lose distinct values as float32; they stay float64 until they are scaled.

Large whole numbers, such as Unix times, ids or dates as 20260131, and values far from zero with
little between them, such as Julian dates, would lose what tells them apart. In an ordinary column
two of thousands of values may round to one, which no model can tell; it stays float32 alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foldproof.tasks.data.features import allocate_file
from foldproof.tasks.data.npy import row_blocks
from foldproof.tasks.data.sources.table_on_disk import TableOnDisk

MAX_EXACT_INTEGER = 2**24  # float32 has every whole number up to here
MAX_SPACING = 2.0**-22  # of a column's range: a spacing of float32 above this loses too much
EXACT = (np.float32, np.float16, np.int8, np.uint8, np.int16, np.uint16, np.bool_)


@dataclass(frozen=True)
class MergedColumn:
    """A column whose distinct values merge as float32.

    Attributes:
        name: of the column, or its place in a sample.
        place: its position among the features of a sample, flattened.
        distinct, left: how many values there are, and how many of them float32 tells apart.
        scaled: how many it tells apart once they are scaled.
    """

    name: str
    place: int
    distinct: int
    left: int
    scaled: int


def merging_columns(
    features: pa.Table | TableOnDisk | NDArray[Any], narrow: NDArray[np.float32]
) -> tuple[MergedColumn, ...]:
    """Find the columns that float32 is too coarse for.

    Args:
        features: as they were read, n rows.
        narrow: the same as float32, (n, ...).
    """
    if isinstance(features, np.ndarray) and features.dtype in EXACT:
        return ()
    candidates = _candidates(narrow)
    found = ((place, _merging(_column(features, place))) for place in candidates)
    return tuple(
        MergedColumn(_name(features, place), place, *counts) for place, counts in found if counts
    )


def merging_target(values: NDArray[np.float64]) -> MergedColumn | None:
    """Return the first target of a regression that float32 is too coarse for; (n,) or (n, k)."""
    columns = values.reshape(len(values), -1).T
    found = ((place, _merging(column)) for place, column in enumerate(columns))
    return next((MergedColumn("target", at, *counts) for at, counts in found if counts), None)


def write_wide(
    features: pa.Table | TableOnDisk | NDArray[Any], columns: tuple[MergedColumn, ...], path: Path
) -> NDArray[np.float64]:
    """Write some columns as float64 to an npy file and return it memory-mapped, (n, columns)."""
    shape = (len(features), len(columns))
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=shape)
    allocate_file(path)
    for position, column in enumerate(columns):
        out[:, position] = _column(features, column.place)
    out.flush()
    mapped: NDArray[np.float64] = np.load(path, mmap_mode="r")
    return mapped


def _candidates(narrow: NDArray[np.float32]) -> Iterator[int]:
    """Yield the columns that need a closer look: large numbers, or little between them."""
    width = int(np.prod(narrow.shape[1:]))
    low, high = np.full(width, np.inf, np.float32), np.full(width, -np.inf, np.float32)
    for _, rows in row_blocks(narrow):
        block = rows.reshape(-1, width)
        np.minimum(low, block.min(axis=0), out=low)
        np.maximum(high, block.max(axis=0), out=high)
    largest = np.maximum(np.abs(low), np.abs(high))
    is_coarse = _is_coarse(low.astype(np.float64), high.astype(np.float64))
    yield from map(int, np.flatnonzero(is_coarse | (largest >= MAX_EXACT_INTEGER)))


def _is_coarse(low: Any, high: Any) -> Any:
    """Return whether float32's steps are large beside the range of values."""
    largest = np.maximum(np.abs(low), np.abs(high)).astype(np.float32)
    with np.errstate(over="ignore"):  # the step above the largest number is infinite
        return np.spacing(largest) > MAX_SPACING * (high - low)


def _merging(values: NDArray[Any]) -> tuple[int, int, int] | None:
    """Count a column's distinct values and those that float32 leaves, where that is too few.

    Returns:
        The values, those left as they are, and those left when they are scaled; or None.
    """
    if values.dtype in EXACT:
        return None
    wide = values.astype(np.float64)
    with np.errstate(over="ignore"):  # refused elsewhere
        narrow = wide.astype(np.float32)
    if np.array_equal(wide, narrow):
        return None
    is_large = np.abs(wide).max() > MAX_EXACT_INTEGER and np.array_equal(wide, np.floor(wide))
    if not is_large and not _is_coarse(wide.min(), wide.max()):
        return None
    values, left = np.unique(wide), len(np.unique(narrow))
    if left == len(values):
        return None
    scaled = (values - wide.mean()) / wide.std()
    return len(values), left, len(np.unique(scaled.astype(np.float32)))


def _column(features: pa.Table | TableOnDisk | NDArray[Any], place: int) -> NDArray[Any]:
    if isinstance(features, np.ndarray):
        one: Any = (slice(None), *np.unravel_index(place, features.shape[1:]))
        return np.concatenate([block[one] for _, block in row_blocks(features)])
    column = features.column(place)
    kind = column.type
    if pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
        column = column.cast(pa.float64(), safe=False)
    return np.asarray(column.to_numpy())


def _name(features: pa.Table | TableOnDisk | NDArray[Any], place: int) -> str:
    if not isinstance(features, np.ndarray):
        return str(features.column_names[place])
    position = np.unravel_index(place, features.shape[1:])
    return str(place) if len(position) == 1 else str(tuple(map(int, position)))
