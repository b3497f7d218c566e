"""Rows of a query as a table: typed columns, in an order that does not depend on the database."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import first_line
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources import tables
from foldproof.tasks.data.sources.raw_table import RawData

FIRST_KEYS = ("id", "time")  # settings of data whose columns rows are sorted by first
KNOWN = (bool, int, float, str, bytes, list)


def wrapped(query: str) -> str:
    """Return a query that can do no more than select: a part of another one."""
    return f"select * from (\n{query.strip().rstrip(';')}\n) as samples"  # noqa: S608 (is meant)


def check_query(spec: DataSpec) -> None:
    """Refuse a database without a query.

    Raises:
        InputError: with an example.
    """
    if spec.query is None:
        problem = "missing; say which rows to read, such as 'select * from patients'"
        raise InputError("data.query", problem)


def raw_data(
    names: Sequence[str],
    rows: Sequence[Sequence[Any]],
    spec: DataSpec,
    fold_column: str | None,
    shown: str,
) -> RawData:
    """Return the rows of a query as samples, sorted.

    Args:
        names: of the columns.
        rows: as the database gave them, in any order.
        spec: the data settings.
        fold_column: the column of a predefined split, or None.
        shown: the database, for people.

    Raises:
        InputError: there are none, or a column mixes kinds of values.
    """
    if not rows:
        raise InputError("data.query", f"finds no row in {shown}; ask for some samples")
    columns = zip(names, zip(*rows, strict=True), strict=True)
    arrays = [_column(name, values) for name, values in columns]
    table = pa.table(arrays, list(names))
    table, _ = tables.checked_table(shown, lambda: (table, ()))
    first = _first_keys(table, spec)
    told = f"{first[0]!r}" if first else "all columns"
    notice = f"{shown}: rows are sorted by {told}, since a query promises no order"
    raw = tables.select(_sorted(table, first), spec.target, spec, fold_column)
    return raw.with_notices([notice])


def _column(name: str, values: Sequence[Any]) -> pa.Array:
    try:
        return pa.array([_plain(value) for value in values])
    except (pa.ArrowException, OverflowError, ValueError) as error:
        problem = f"column {name!r} mixes kinds of values ({first_line(error)})"
        raise InputError("data.query", f"{problem}; cast it in the query") from None


def _plain(value: Any) -> Any:
    """Return what Arrow has a type for: numbers of any precision as floats, other types as text."""
    if isinstance(value, Decimal):
        return float(value)
    is_time = type(value).__module__ == "datetime"
    return value if value is None or is_time or isinstance(value, KNOWN) else str(value)


def _first_keys(table: pa.Table, spec: DataSpec) -> list[str]:
    given: list[Any] = [getattr(spec, setting, None) for setting in FIRST_KEYS]
    return [name for name in given if name in table.column_names]


def _sorted(table: pa.Table, first: list[str]) -> pa.Table:
    """Sort rows by some columns and then by all others, so that none are left in any order."""
    order = [*first, *(name for name in table.column_names if name not in first)]
    keys = pa.table([_key(table[name]) for name in order], [str(i) for i in range(len(order))])
    by_all = [(name, "ascending") for name in keys.column_names]
    return table.take(pc.sort_indices(keys, sort_keys=by_all))


def _key(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_nested(column.type):
        return pa.chunked_array([pa.array([str(value) for value in column.to_pylist()])])
    return column
