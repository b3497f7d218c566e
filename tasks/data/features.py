"""Features on disk: float32, C-ordered, every value checked, ready to be memory-mapped."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.data import npy
from foldproof.tasks.data.npy import row_blocks
from foldproof.tasks.data.sources.table_on_disk import TableOnDisk


def write_features(
    features: pa.Table | TableOnDisk | NDArray[Any], path: Path, may_have_gaps: bool = False
) -> NDArray[np.float32]:
    """Write features to an npy file block by block and return it memory-mapped, (n, ...).

    Args:
        features: numbers.
        path: the file.
        may_have_gaps: NaN stands for a missing value that preprocessing will see.

    Raises:
        InputError: a value is infinite as float32, or NaN where there may be no gaps.
    """
    names: list[str] | None = None
    if isinstance(features, np.ndarray):
        shape = features.shape
    else:
        names = list(features.column_names)
        shape = (len(features), len(names))
    np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    allocate_file(path)
    bad = np.zeros((2, int(np.prod(shape[1:]))), dtype=np.int64)
    with np.errstate(over="ignore"):  # values too large for float32 are reported below
        for row, left, block in _blocks(features):
            out = np.lib.format.open_memmap(path, mode="r+")  # anew: what is written stays mapped
            right = left + block.shape[1]
            out[row : row + len(block), left:right] = block
            written = out[row : row + len(block), left:right].reshape(len(block), -1)
            _count_bad(written, bad if names is None else bad[:, left:right])
    if may_have_gaps:
        bad[0] = 0
    _refuse_bad(bad, names, shape)
    mapped: NDArray[np.float32] = np.load(path, mmap_mode="r")
    return mapped


def allocate_file(path: Path) -> None:
    """Allocate a file's disk space: a memory map of a full disk would kill the process.

    Raises:
        OSError: there is none.
    """
    size = path.stat().st_size
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    elif size > shutil.disk_usage(path.parent).free:  # macOS: all that can be told beforehand
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def _blocks(
    features: pa.Table | TableOnDisk | NDArray[Any],
) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Yield blocks with the positions of their first row and column."""
    if isinstance(features, np.ndarray):
        if features.dtype.kind not in "biuf":
            raise InputError("X", f"holds {features.dtype}; features must be numbers")
        yield from ((row, 0, block) for row, block in row_blocks(features))
    elif isinstance(features, TableOnDisk):
        yield from ((row, left, _stack(batch)) for row, left, batch in features.batches())
    else:
        row = 0
        for batch in features.to_batches(max(1, npy.BLOCK_VALUES // features.num_columns)):
            yield row, 0, _stack(batch)
            row += batch.num_rows


def is_numeric(kind: pa.DataType) -> bool:
    """Return whether a column's type is one of numbers."""
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    # A column without any value has no type of its own; its gaps are counted below.
    return any(check(kind) for check in checks) or pa.types.is_null(kind)


def _stack(batch: pa.RecordBatch) -> NDArray[np.float64]:
    columns = [column.cast(pa.float64(), safe=False) for column in batch.columns]
    return np.column_stack([column.to_numpy(zero_copy_only=False) for column in columns])


def _count_bad(flat: NDArray[np.float32], bad: NDArray[np.int64]) -> None:
    if not np.isfinite(flat).all():
        bad[0] += np.isnan(flat).sum(axis=0)
        bad[1] += np.isinf(flat).sum(axis=0)


def _refuse_bad(bad: NDArray[np.int64], names: list[str] | None, shape: tuple[int, ...]) -> None:
    # No word of filling them in beforehand: that would tell training of test rows.
    remedy = "drop the column or those rows"
    for kind, counts in zip(("missing or NaN", "infinite as float32"), bad, strict=True):
        columns = np.flatnonzero(counts)
        if not len(columns):
            continue
        first = int(columns[0])
        name = repr(names[first]) if names else _position(first, shape)
        more = f" ({len(columns) - 1} more columns have some, too)" if len(columns) > 1 else ""
        count = f"{int(counts[first])} of {shape[0]} values are {kind}{more}"
        raise InputError("data.features", f"column {name}: {count}; {remedy}")


def _position(flat: int, shape: tuple[int, ...]) -> str:
    place = np.unravel_index(flat, shape[1:])
    return str(flat) if len(shape) == 2 else str(tuple(int(i) for i in place))
