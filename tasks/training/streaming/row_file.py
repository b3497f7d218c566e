"""Rows of features in a file without a name, which are gathered by their positions.

The file is in the folder for temporary files; the system removes it with the process. Rows are
read, not mapped: mapped ones would stay in the process's memory.
"""

import os
import tempfile
import weakref
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_VALUES = 1 << 19  # read at a time: 2 MiB; larger ones would leave holes in the process's heap

Features = NDArray[np.float32]


class RowFile:
    """Features of shape (n, ...), float32, to be indexed as an array by rows alone."""

    dtype = np.dtype(np.float32)

    def __init__(self, sample_shape: tuple[int, ...]) -> None:
        """Make an empty one.

        Args:
            sample_shape: of the features of a row.
        """
        self._file = tempfile.TemporaryFile(prefix="foldproof-rows-")  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._sample_shape, self._rows = sample_shape, 0
        self._width = int(np.prod(sample_shape, dtype=np.int64))

    def append(self, rows: Features) -> None:
        """Add rows at the end.

        Raises:
            OSError: the disk is full.
        """
        self._file.write(np.ascontiguousarray(rows, np.float32).reshape(-1).view(np.uint8).data)
        self._rows += len(rows)

    def finish(self) -> "RowFile":
        """Return itself, to be read from now on."""
        self._file.flush()
        return self

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._rows

    @property
    def shape(self) -> tuple[int, ...]:
        """Of all rows: (n, ...)."""
        return (self._rows, *self._sample_shape)

    @property
    def nbytes(self) -> int:
        """The size of the file."""
        return self._rows * self._width * self.dtype.itemsize

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> Features:
        """Read rows, in the order that is asked for."""
        if isinstance(rows, slice):
            rows = np.arange(self._rows)[rows]
        order = np.argsort(rows, kind="stable")
        ascending = np.asarray(rows)[order]
        found = np.empty((len(ascending), self._width), np.float32)
        found[order] = self._read(ascending)
        return found.reshape(len(found), *self._sample_shape)

    def blocks(self) -> Iterator[Features]:
        """Yield all rows in their order, a block at a time."""
        step = max(1, BLOCK_VALUES // max(1, self._width))
        for start in range(0, self._rows, step):
            yield self[start : start + step]

    def _read(self, ascending: NDArray[np.int64]) -> Features:
        """Read rows in ascending order, those that stand together at once."""
        found = np.empty((len(ascending), self._width), np.float32)
        starts = np.flatnonzero(np.diff(ascending, prepend=-2) != 1)
        for start, stop in pairwise([*starts, len(ascending)]):
            read_at(self._file, found[start:stop], int(ascending[start]) * self._width)
        return found


def read_at(file: Any, out: NDArray[Any], place: int) -> None:
    """Fill an array with what stands in a file.

    Args:
        file: open.
        out: C-ordered.
        place: of the first value, counted in values.
    """
    buffer = out.reshape(-1).view(np.uint8).data
    offset = place * out.itemsize
    done = 0
    while done < len(buffer):
        read = os.pread(file.fileno(), min(len(buffer) - done, 1 << 24), offset + done)
        if not read:
            raise OSError("a temporary file ended early")
        buffer[done : done + len(read)] = read
        done += len(read)
