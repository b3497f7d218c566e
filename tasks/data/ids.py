"""Ids of rows: names for people, which go into predictions.parquet and into no model."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foldproof.tasks.common.digest import digest_array, digest_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.csv_format.plain_texts import WHOLE

NAME = "id"  # of the column, here and in predictions.parquet


def id_column(values: NDArray[Any]) -> pa.Array:
    """Return ids as int64 where all are whole numbers, else as text.

    Raises:
        InputError: some are missing, or they are no names.
    """
    try:
        column = pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        raise InputError("data.id", "mixes text and numbers; make all of one kind") from None
    if column.null_count:
        count = f"{column.null_count} of {len(column)} values are missing"
        raise InputError("data.id", f"{count}; give each row one, or remove those rows")
    if pa.types.is_floating(column.type) and not np.all(np.mod(values, 1) == 0):
        return column.cast(pa.string())
    try:
        text = column.cast(pa.int64()).cast(pa.string()) if _is_number(column.type) else column
        text = text.cast(pa.string())
    except pa.ArrowException:
        raise InputError("data.id", f"holds {column.type}; give text or whole numbers") from None
    is_whole = bool(pc.all(pc.match_substring_regex(text, WHOLE), min_count=1).as_py())
    return text.cast(pa.int64()) if is_whole else text


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def write_ids(ids: pa.Array, path: Path) -> None:
    """Write ids to a file that can be mapped."""
    table = pa.table({NAME: ids})
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def read_ids(path: Path) -> pa.Array:
    """Return the ids in a file, memory-mapped where they are one chunk."""
    chunks = pa.ipc.open_file(pa.memory_map(str(path))).read_all()[NAME].chunks
    return chunks[0] if len(chunks) == 1 else pa.concat_arrays(chunks)


def digest_ids(ids: pa.Array) -> str:
    """Return the SHA-256 hex digest of ids."""
    if pa.types.is_int64(ids.type):
        return digest_array(ids.to_numpy())
    return digest_json(ids.to_pylist())


def id_notes(ids: pa.Array, settings: DataSpec) -> list[str]:
    """Return a note where ids repeat and nothing keeps the rows of one id together."""
    repeated = len(ids) - len(pc.unique(ids))
    if not repeated or settings.groups is not None:
        return []
    counted = pc.value_counts(ids)
    first = counted.filter(pc.greater(counted.field("counts"), 1))[0].as_py()
    count = f"{first['values']!r} names {first['counts']} rows"
    remedy = f"if those belong together, set data.groups to {settings.id!r}, too"
    return [f"ids repeat: {count}, which may stand on both sides of a fold; {remedy}"]
