"""Fit a scaler on some columns at a time, of rows that would not fit in memory.

scikit-learn's scalers treat each column by itself, and NumPy adds up the rows of an array in their
order, whatever its width; only a single column it adds up in another one. So a block of two or
more columns gives the bits of the whole `fit`.
"""

import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.folds.preprocess import ColumnOutcome
from foldproof.tasks.training.preprocessing.scaler import Features, Scaler
from foldproof.tasks.training.streaming.row_file import read_at

LEAST_COLUMNS = 2  # of a block

Blocks = Iterator[NDArray[Any]]


class ColumnScaler:
    """A scaler of one kind that was fitted block by block."""

    outcome: tuple[ColumnOutcome, ...] = ()

    def __init__(self, parts: list[tuple[slice, Scaler]]) -> None:
        """Take fitted scalers, each of some columns."""
        self._parts = parts

    def transform(self, raw: NDArray[Any], own: bool = False) -> Features:
        """Return scaled rows, float32, in the shape they came in."""
        flat = raw.reshape(len(raw), -1)
        scaled = np.empty(flat.shape, np.float32)
        for columns, scaler in self._parts:
            scaled[:, columns] = scaler.transform(flat[:, columns].copy(), own=True)
        return scaled.reshape(raw.shape)


def column_blocks(width: int, columns: int) -> list[slice]:
    """Divide columns into blocks of about a size; none is a single column, unless there is one."""
    columns = max(LEAST_COLUMNS, columns)
    starts = list(range(0, width, columns))
    if len(starts) > 1 and width - starts[-1] < LEAST_COLUMNS:
        starts.pop()
    return [slice(*ends) for ends in zip(starts, [*starts[1:], width], strict=True)]


def fit_by_columns(
    name: str, blocks: Blocks, rows: int, width: int, kind: np.dtype[Any], columns: int
) -> ColumnScaler:
    """Fit a scaler on training rows that come in blocks, and in memory are only some columns of.

    Args:
        name: of one of scikit-learn's, or none.
        blocks: of the rows, (., ...).
        rows: how many there are in all.
        width: of a row, its features flattened.
        kind: float32 or float64.
        columns: how many at a time.
    """
    divided = column_blocks(width, columns)
    with tempfile.TemporaryFile(prefix="foldproof-columns-") as file:
        _write_by_columns(file, blocks, rows, divided, kind)
        parts = []
        for part in divided:
            values = np.empty((rows, part.stop - part.start), kind)
            read_at(file, values, rows * part.start)
            parts.append((part, Scaler(name).fit(values)))
    return ColumnScaler(parts)


def _write_by_columns(
    file: Any, blocks: Blocks, rows: int, divided: list[slice], kind: np.dtype[Any]
) -> None:
    """Write blocks of rows as blocks of columns, one after the other."""
    row = 0
    for block in blocks:
        flat = block.reshape(len(block), -1)
        for part in divided:
            columns = part.stop - part.start
            file.seek((rows * part.start + row * columns) * kind.itemsize)
            values = np.ascontiguousarray(flat[:, part], kind)
            file.write(values.reshape(-1).view(np.uint8).data)
        row += len(flat)
    file.flush()
