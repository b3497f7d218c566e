"""Columns of a CSV file that are read as text, so that ids such as 007 keep their zeros."""

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

WHOLE = r"^(0|-?[1-9]\d{0,17})$"  # as an int64 is written


def whole_numbers(table: pa.Table, texts: Collection[str]) -> pa.Table:
    """Turn columns that were read as text into int64 where nothing is lost by it."""
    for place, field in enumerate(table.schema):
        if field.name in texts and is_whole(table.column(place)):
            table = table.set_column(place, field.name, table.column(place).cast(pa.int64()))
    return table


def is_whole(column: pa.ChunkedArray) -> bool:
    """Return whether a column is text, and each of it a whole number in its plain form."""
    if not pa.types.is_string(column.type):
        return False
    return bool(pc.all(pc.match_substring_regex(column, WHOLE), min_count=1).as_py())
