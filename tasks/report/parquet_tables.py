"""Read the tables of a report that anybody may have written, and divide them by fold."""

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

PLACE = ("repeat", "fold")
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


def place_of(row: Mapping[str, Any]) -> tuple[int, int]:
    """Return which fold a row is of."""
    return row["repeat"], row["fold"]


def by_fold(table: pa.Table) -> dict[tuple[int, int], pa.Table]:
    """Divide a table by repeat and fold, in one pass; the order within a fold stays."""
    repeats, folds = (table[name].to_numpy() for name in PLACE)
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
def as_a_report() -> Iterator[None]:
    """Turn what goes wrong where a report is not made as reports are into one line.

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
    """Refuse what unpacks to more than this machine has, before it is unpacked."""
    size = 8 * described.num_rows * described.num_columns
    if size > os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"):
        raise InputError(FIELD, f"{name} cannot be read (it unpacks to {size / 1e9:.0f} GB)")
