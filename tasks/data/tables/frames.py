"""Features with gaps, categories, texts and dates: a table on disk, and its rows as a frame.

The file is Arrow's, uncompressed, so that rows are copied out of it without reading the rest.
A column of categories reaches training with those of the rows that it trains on only.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foldproof.tasks.common.digest import digest_array, digest_json
from foldproof.tasks.data.tables.column_kinds import Kind, TypedColumn

if TYPE_CHECKING:
    import pandas as pd

FRAME = "frame.arrow"


@dataclass(frozen=True)
class ColumnFacts:
    """What is known of a column from the table's schema, and how many gaps it has.

    Attributes:
        name, kind: as in `TypedColumn`.
        gaps: rows of the whole table without a value; nothing is fitted with it.
    """

    name: str
    kind: Kind
    gaps: int


def write_frame(columns: Sequence[TypedColumn], path: Path) -> tuple[ColumnFacts, ...]:
    """Write columns to a file that rows can be taken from."""
    fields = [
        pa.field(column.name, column.values.type, metadata=_metadata(column)) for column in columns
    ]
    table = pa.table([column.values for column in columns], schema=pa.schema(fields))
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return tuple(ColumnFacts(column.name, column.kind, column.gaps) for column in columns)


def _metadata(column: TypedColumn) -> dict[str, str]:
    told = {"order": list(column.categories), "ordered": column.is_ordered}
    return {"kind": column.kind, "categories": json.dumps(told)}


def digest_frame(columns: Sequence[TypedColumn]) -> str:
    """Return the SHA-256 of all names, kinds and values, whatever file they came from."""
    return digest_json([_described(column) for column in columns])


def _described(column: TypedColumn) -> list[Any]:
    present = np.asarray(pc.is_valid(column.values))
    order = list(column.categories) if column.is_ordered else None
    kind = str(column.values.type)
    return [column.name, column.kind, kind, order, digest_array(present), *_digests(column.values)]


def _digests(values: pa.Array) -> list[str]:
    """Return digests of values of any type of a `TypedColumn`; gaps count as zero or nothing."""
    if pa.types.is_large_string(values.type):
        filled = pc.fill_null(values, "")
        lengths = pc.binary_length(filled).to_numpy(zero_copy_only=False)
        text = "".join(filled.to_pylist()).encode()
        return [digest_array(lengths), digest_array(np.frombuffer(text, np.uint8))]
    if pa.types.is_timestamp(values.type) or pa.types.is_duration(values.type):
        values = values.cast(pa.int64())
    filled = pc.fill_null(values, False if pa.types.is_boolean(values.type) else 0)
    return [digest_array(filled.to_numpy(zero_copy_only=False))]


def take_frame(path: Path, rows: NDArray[np.int64]) -> pa.Table:
    """Copy rows out of a table's file; nothing else of it stays in memory."""
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all().take(pa.array(rows)).combine_chunks()


Known = dict[str, tuple[str, ...]]  # categories that training has, by column


def categories_in(table: pa.Table) -> Known:
    """Return the categories of each such column that some rows have, in their order."""
    return {
        field.name: _order(field, table[field.name])
        for field in table.schema
        if kind_of(field) == "categories"
    }


def kind_of(field: pa.Field) -> Kind:
    """Return the kind of a stored column."""
    return field.metadata[b"kind"].decode()  # type: ignore[no-any-return]


def as_frame(table: pa.Table, known: Known) -> "pd.DataFrame":
    """Return rows as a frame of pandas: gaps are NaN, or NA in whole numbers and booleans.

    Args:
        table: rows, as from `take_frame`.
        known: the categories of the training rows; others follow them.
    """
    import pandas as pd

    return pd.DataFrame(
        {
            field.name: _series(field, table[field.name], known.get(field.name, ()))
            for field in table.schema
        }
    )


def _series(field: pa.Field, column: pa.ChunkedArray, known: tuple[str, ...]) -> Any:
    import pandas as pd

    kind = kind_of(field)
    if kind == "categories":
        new = tuple(text for text in _order(field, column) if text not in known)
        is_ordered = json.loads(field.metadata[b"categories"])["ordered"]
        return pd.Categorical(column.to_pylist(), categories=[*known, *new], ordered=is_ordered)
    if kind == "texts":
        return pd.Series(column.to_pylist(), dtype="str")
    if kind == "booleans" and column.null_count:
        return pd.Series(column.to_pylist(), dtype="boolean")
    if pa.types.is_integer(column.type) and column.null_count:
        return pd.Series(pd.array(column.to_pylist(), dtype=_nullable(column.type)))
    return column.to_pandas()


def _nullable(kind: pa.DataType) -> str:
    name = str(kind)  # int64 or uint8
    return name.replace("uint", "UInt") if name[0] == "u" else name.replace("int", "Int")


def _order(field: pa.Field, column: pa.ChunkedArray) -> tuple[str, ...]:
    present = {text for text in pc.unique(column).to_pylist() if text is not None}
    order = json.loads(field.metadata[b"categories"])["order"]
    return tuple(text for text in order if text in present)
