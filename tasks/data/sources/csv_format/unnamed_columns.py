"""Drop what is no data: R's row names, columns after a last delimiter, empty last rows."""

import numpy as np
import pyarrow as pa

from foldproof.tasks.common.text import some_of


def drop_unnamed_columns(table: pa.Table, name: str) -> tuple[pa.Table, tuple[str, ...]]:
    """Leave out columns without a name that count the rows from 1, as R does, or hold nothing.

    Args:
        table: as it was read.
        name: of the file, for people.

    Returns:
        The table and what was left out, a line each.
    """
    unnamed = [place for place, column in enumerate(table.column_names) if not column.strip()]
    counts = [place for place in unnamed if place == 0 and _counts_rows(table.column(0))]
    empty = [place for place in unnamed if pa.types.is_null(table.column(place).type)]
    if not table.num_rows or not (counts or empty):
        return table, ()
    told = [f"{name}: left out column 1, which has no name and counts the rows (row names)"] * len(
        counts
    )
    if empty:
        places = some_of([str(place + 1) for place in empty], 5)
        words = "column" if len(empty) == 1 else "columns"
        told.append(f"{name}: left out {words} {places} without a name or a value")
    kept = [p for p in range(table.num_columns) if p not in {*counts, *empty}]
    return table.select(kept), tuple(told)


def drop_empty_last_rows(table: pa.Table, name: str) -> tuple[pa.Table, tuple[str, ...]]:
    """Leave out rows at the end that hold nothing, as spreadsheets write them.

    Args:
        table: as it was read.
        name: of the file, for people.

    Returns:
        The table and what was left out, a line each.
    """
    if not table.num_rows or any(column[-1].is_valid for column in table.columns):
        return table, ()
    ends = (np.flatnonzero(column.is_valid().to_numpy()) for column in table.columns)
    kept = max((int(valid[-1]) + 1 for valid in ends if len(valid)), default=0)
    count = table.num_rows - kept
    told = f"{name}: left out {count} empty row{'s' * (count > 1)} at the end"
    return table.slice(0, kept), (told,)


def _counts_rows(column: pa.ChunkedArray) -> bool:
    if not pa.types.is_integer(column.type) or column.null_count:
        return False
    numbers = column.to_numpy()
    return np.array_equal(numbers, np.arange(1, len(numbers) + 1))
