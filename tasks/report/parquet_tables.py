"""Read the tables of an untrusted report, and group them by fold."""

import itertools
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import one_line

FOLD_COLUMNS = ("repeat", "fold")
FIELD = "RUN_DIR"


def read_table(path: Path) -> pa.Table:
    """Read a table of a report.

    Raises:
        InputError: it cannot be read, or not into this machine's memory.
    """
    if not path.is_file():  # a pipe would be waited for
        raise InputError(FIELD, f"{path.name} cannot be read (it is no file)")
    try:
        with parquet.ParquetFile(path) as file:
            _check_size(path.name, file.metadata)
            return file.read()
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise InputError(FIELD, f"{path.name} cannot be read ({reason})") from None


def fold_of(row: Mapping[str, Any]) -> tuple[int, int]:
    """Return the repeat and fold of a row."""
    return row["repeat"], row["fold"]


def by_fold(table: pa.Table) -> dict[tuple[int, int], pa.Table]:
    """Group a table's rows by repeat and fold in one pass, in their order."""
    repeats, folds = (table[name].to_numpy() for name in FOLD_COLUMNS)
    if not len(table):
        return {}
    order = np.lexsort((folds, repeats))
    ordered = table.take(pa.array(order))
    repeats, folds = repeats[order], folds[order]
    starts = np.flatnonzero((np.diff(repeats) != 0) | (np.diff(folds) != 0)) + 1
    bounds = [0, *starts.tolist(), len(table)]
    return {
        (int(repeats[start]), int(folds[start])): ordered.slice(start, end - start)
        for start, end in itertools.pairwise(bounds)
    }


@contextmanager
def report_errors_as_input_error() -> Iterator[None]:
    """Wrap reads: errors caused by a malformed report become a one-line `InputError`.

    Raises:
        InputError: it is not.
    """
    try:
        yield
    except InputError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = one_line(f"{type(error).__name__}: {error}")[:60]
        problem = f"its files do not hold what a report's do ({reason}); ask for another copy"
        raise InputError(FIELD, problem) from error


def _check_size(name: str, described: Any) -> None:
    """Refuse a table that would not fit into this machine's memory, before it is read."""
    size = 8 * described.num_rows * described.num_columns
    if size > os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"):
        raise InputError(FIELD, f"{name} cannot be read (it unpacks to {size / 1e9:.0f} GB)")
