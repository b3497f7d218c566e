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

BLOCK_VALUES = 1 << 22  # values converted at a time: 16 MiB of float32


def write_features(
    features: pa.Table | NDArray[Any], path: Path, may_have_gaps: bool = False
) -> NDArray[np.float32]:
    """Write features to an npy file block by block and return it memory-mapped, (n, ...).

    Args:
        features: numbers.
        path: the file.
        may_have_gaps: NaN stands for a missing value that preprocessing will see.

    Raises:
        InputError: a value is infinite as float32, or NaN where there may be no gaps.
    """
    shape, blocks = (_table if isinstance(features, pa.Table) else _array)(features)
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    allocate_file(path)
    names = features.column_names if isinstance(features, pa.Table) else None
    bad = np.zeros((2, int(np.prod(shape[1:]))), dtype=np.int64)
    start = 0
    with np.errstate(over="ignore"):  # values too large for float32 are reported below
        for block in blocks:
            out[start : start + len(block)] = block
            _count_bad(out[start : start + len(block)], bad)
            start += len(block)
    if may_have_gaps:
        bad[0] = 0
    _refuse_bad(bad, names, shape)
    out.flush()
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


def _table(table: pa.Table) -> tuple[tuple[int, ...], Iterator[NDArray[Any]]]:
    size = max(1, BLOCK_VALUES // table.num_columns)
    batches = table.to_batches(max_chunksize=size)
    return (table.num_rows, table.num_columns), (_stack(batch) for batch in batches)


def is_numeric(kind: pa.DataType) -> bool:
    """Return whether a column's type is one of numbers."""
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    # A column without any value has no type of its own; its gaps are counted below.
    return any(check(kind) for check in checks) or pa.types.is_null(kind)


def _stack(batch: pa.RecordBatch) -> NDArray[np.float64]:
    columns = [column.cast(pa.float64(), safe=False) for column in batch.columns]
    return np.column_stack([column.to_numpy(zero_copy_only=False) for column in columns])


def _array(array: NDArray[Any]) -> tuple[tuple[int, ...], Iterator[NDArray[Any]]]:
    if array.dtype.kind not in "biuf":
        raise InputError("X", f"holds {array.dtype}; features must be numbers")
    step = max(1, BLOCK_VALUES // max(1, int(np.prod(array.shape[1:]))))
    return array.shape, (array[i : i + step] for i in range(0, len(array), step))


def _count_bad(block: NDArray[np.float32], bad: NDArray[np.int64]) -> None:
    flat = block.reshape(len(block), -1)
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
