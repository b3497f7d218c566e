"""The kinds of a table's columns, by their types alone: numbers, categories, texts, dates."""

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from foldproof.tasks.common.errors import InputError

Kind = Literal["numbers", "booleans", "categories", "texts", "dates", "times"]


@dataclass(frozen=True)
class TypedColumn:
    """A column of features in one of the types that preprocessing knows.

    Attributes:
        name: its name.
        kind: numbers, booleans, categories, texts, dates or times of day.
        values: (n,) as the type of that kind; a gap is a null.
        categories: of a column of categories: all of them, in their order.
        is_ordered: they have an order of their own.
    """

    name: str
    kind: Kind
    values: pa.Array
    categories: tuple[str, ...] = ()
    is_ordered: bool = False

    @property
    def gaps(self) -> int:
        """The number of rows without a value."""
        return int(self.values.null_count)


def typed_column(name: str, column: pa.ChunkedArray) -> TypedColumn:
    """Return a column in the type of its kind.

    Raises:
        InputError: it holds what is no feature: bytes, lists, numbers that are infinite.
    """
    whole = column.combine_chunks()
    whole = whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
    kind = whole.type
    if pa.types.is_dictionary(kind):
        return _categories(name, whole)
    if pa.types.is_boolean(kind):
        return TypedColumn(name, "booleans", whole)
    if _is_text(kind):
        return TypedColumn(name, "texts", whole.cast(pa.large_string()))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return TypedColumn(name, "dates", _timestamps(whole))
    if pa.types.is_time(kind):
        since_midnight = whole.cast(pa.time64("us")).cast(pa.int64())
        return TypedColumn(name, "times", since_midnight.cast(pa.duration("us")))
    return TypedColumn(name, "numbers", _numbers(name, whole))


def _is_text(kind: pa.DataType) -> bool:
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(check(kind) for check in checks)


def _categories(name: str, column: pa.DictionaryArray) -> TypedColumn:
    """Return categories as texts, and their order beside them; unused ones have no place there.

    Raises:
        InputError: they are neither texts, numbers, booleans nor dates.
    """
    kind = column.type
    try:
        names = column.dictionary.cast(pa.large_string()).to_pylist()
        values = column.cast(kind.value_type).cast(pa.large_string())
    except pa.ArrowException:
        problem = f"column {name!r} holds categories of {kind.value_type}"
        raise InputError("data.features", f"{problem}; write them as text") from None
    in_order = names if kind.ordered else _sorted(names, column.dictionary)
    used = set(pc.unique(values).to_pylist())
    order = [text for text in in_order if text in used and text is not None]
    return TypedColumn(name, "categories", values, tuple(order), bool(kind.ordered))


def _sorted(names: list[str], values: pa.Array) -> list[str]:
    """Sort the names of categories by their values: numbers as such."""
    return [names[place] for place in pc.sort_indices(values).to_pylist()]


def _timestamps(column: pa.Array) -> pa.Array:
    """Return dates at midnight, and times in UTC; the type tells the two apart."""
    kind = column.type
    if pa.types.is_date(kind):
        return column.cast(pa.date32()).cast(pa.timestamp("s"))
    return column.cast(pa.timestamp("us", tz=kind.tz), safe=False)


def _numbers(name: str, column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_duration(kind):
        column = pc.divide(column.cast(pa.duration("us"), safe=False).cast(pa.int64()), 1e6)
    elif pa.types.is_decimal(kind) or pa.types.is_null(kind):
        column = column.cast(pa.float64(), safe=False)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        problem = f"column {name!r} holds {kind}; give numbers, text, categories, dates, or drop it"
        raise InputError("data.features", problem)
    if pa.types.is_floating(column.type):
        wide = column.cast(pa.float64()) if column.type == pa.float16() else column
        column = pc.if_else(pc.is_nan(wide), None, wide)
        _refuse_infinite(name, column)
    return column


def _refuse_infinite(name: str, column: pa.Array) -> None:
    count = pc.sum(pc.is_inf(column)).as_py() or 0
    if count:
        problem = f"column {name!r}: {count} of {len(column)} values are infinite"
        raise InputError("data.features", f"{problem}; drop the column or those rows")
