"""Fit a fold's scaler to rows that are read block by block, and write them scaled to a file."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.training.preprocessing.fitted import Fitted, Unchanged
from foldproof.tasks.training.preprocessing.scaler import Scaler
from foldproof.tasks.training.streaming.column_scaler import fit_by_columns
from foldproof.tasks.training.streaming.need import Need, columns_at_a_time, need_of
from foldproof.tasks.training.streaming.row_file import BLOCK_VALUES, RowFile

Rows = NDArray[np.int64]
Read = Callable[[Rows], NDArray[Any]]  # rows of the data by their positions


def fit_streamed(job: FoldJob, rows: Rows, read: Read) -> tuple[Fitted, RowFile]:
    """Fit on training rows, and return these, scaled, in a file.

    Args:
        job: the fold.
        rows: positions of the training rows, ascending.
        read: reads some of them.

    Raises:
        InputError: not even some columns of all rows fit in memory.
    """
    need = need_of(job, len(rows))
    fitted = _fit(job, rows, read, need)
    return fitted, write_streamed(fitted, rows, read)


def write_streamed(fitted: Fitted, rows: Rows, read: Read) -> RowFile:
    """Write rows, as a fitted scaler leaves them, to a file.

    Args:
        fitted: the scaler.
        rows: positions of the rows.
        read: reads some of them.
    """
    written = None
    for raw in _blocks(rows, read):
        written = written or RowFile(raw.shape[1:])
        written.append(fitted.transform(raw, own=True))
    assert written is not None  # a fold has rows
    return written.finish()


def _fit(job: FoldJob, rows: Rows, read: Read, need: Need) -> Fitted:
    if job.preprocess.way == "none":
        return Unchanged()
    if job.train.scaler == "none":
        return Scaler("none")
    columns = columns_at_a_time(need)
    size = (need.rows, need.width, need.kind)
    return fit_by_columns(job.train.scaler, _blocks(rows, read), *size, columns)


def _blocks(rows: Rows, read: Read) -> Iterator[NDArray[Any]]:
    """Yield rows of the data, a block at a time."""
    width = int(np.prod(read(rows[:1]).shape[1:], dtype=np.int64))
    step = max(1, BLOCK_VALUES // max(1, width))
    for start in range(0, len(rows), step):
        yield read(rows[start : start + step])
