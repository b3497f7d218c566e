"""Features on disk: plain numbers as one array, all else as a table that each fold preprocesses."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foldproof.tasks.common.digest import digest_array, digest_blocks
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.named.preprocess import Part, Preprocess
from foldproof.tasks.data.features import is_numeric, write_features
from foldproof.tasks.data.npy import row_blocks
from foldproof.tasks.data.sources.table_on_disk import TableOnDisk
from foldproof.tasks.data.tables.column_kinds import TypedColumn, typed_column
from foldproof.tasks.data.tables.frames import FRAME, ColumnFacts, digest_frame, write_frame
from foldproof.tasks.data.tables.text_columns import refuse_mistyped, with_dates
from foldproof.tasks.data.wide_columns import MergedColumn, merging_columns, write_wide

FEATURES, WIDE, WIDE_PLACES = "features.npy", "wide.npy", "wide_places.npy"


@dataclass(frozen=True)
class StoredFeatures:
    """Features that were written to a folder.

    Attributes:
        shape: of one sample; of a table, the number of its columns.
        digests: SHA-256 of each part, by the name of its file.
        columns: of a table; empty for an array.
        merged: the columns of wide.npy, of which float32 loses values.
    """

    shape: tuple[int, ...]
    digests: dict[str, str]
    columns: tuple[ColumnFacts, ...] = ()
    merged: tuple[MergedColumn, ...] = ()


def store_features(
    features: pa.Table | TableOnDisk | NDArray[Any], preprocess: Preprocess, folder: Path
) -> StoredFeatures:
    """Write features as an array if they are plain numbers, else as a table.

    Args:
        features: as they were read, n rows.
        preprocess: the setting; with auto, complete numbers need no more than a scaler.
        folder: an existing folder.

    Raises:
        InputError: a value in them is not usable.
    """
    table = as_table(features, preprocess)
    if table is None:
        return _store_array(features, folder, may_have_gaps=preprocess != "auto")
    if preprocess == "auto":
        refuse_mistyped(table)
        table = with_dates(table)
    columns = [typed_column(name, table[name]) for name in table.column_names]
    if all(column.gaps == table.num_rows for column in columns):
        remedy = "give some numbers or text to learn from"
        raise InputError("data.features", f"no column has a value; {remedy}")
    return _store_table(columns, folder)


def as_table(
    features: pa.Table | TableOnDisk | NDArray[Any], preprocess: Preprocess
) -> pa.Table | None:
    """Return features as a table if they are not just numbers for a scaler, else None.

    An array becomes one where steps go by column, or where gaps are to be filled; its columns
    are named by their position.
    """
    if isinstance(features, TableOnDisk):
        return None if preprocess == "auto" and _is_plain_on_disk(features) else features.read()
    if isinstance(features, pa.Table):
        return None if preprocess == "auto" and _is_plain(features) else features
    by_column = isinstance(preprocess, list) and any(isinstance(i, Part) for i in preprocess)
    if features.ndim != 2 or not (by_column or (preprocess == "auto" and _has_gaps(features))):
        return None
    return pa.table([pa.array(c) for c in features.T], [str(i) for i in range(features.shape[1])])


def _is_plain_on_disk(table: TableOnDisk) -> bool:
    if not all(is_numeric(kind) for kind in table.schema.types):
        return False
    return all(_is_plain(pa.Table.from_batches([batch])) for *_, batch in table.batches())


def _is_plain(table: pa.Table) -> bool:
    return all(
        is_numeric(column.type) and not column.null_count and not _has_nan(column)
        for column in table.columns
    )


def _has_nan(column: pa.ChunkedArray) -> bool:
    return pa.types.is_floating(column.type) and bool(pc.any(pc.is_nan(column)).as_py())


def _has_gaps(array: NDArray[Any]) -> bool:
    return array.dtype.kind == "f" and any(np.isnan(rows).any() for _, rows in row_blocks(array))


def _store_table(columns: list[TypedColumn], folder: Path) -> StoredFeatures:
    facts = write_frame(columns, folder / FRAME)
    return StoredFeatures((len(columns),), {FRAME: digest_frame(columns)}, facts)


def _store_array(
    features: pa.Table | TableOnDisk | NDArray[Any], folder: Path, may_have_gaps: bool
) -> StoredFeatures:
    narrow = write_features(features, folder / FEATURES, may_have_gaps)
    rows = (block for _, block in row_blocks(narrow))
    digests = {FEATURES: digest_blocks(narrow.dtype, narrow.shape, rows)}
    merged = () if _has_gaps(narrow) else merging_columns(features, narrow)
    if merged:
        digests[WIDE] = digest_array(write_wide(features, merged, folder / WIDE))
        places = np.array([column.place for column in merged], np.int64)
        np.save(folder / WIDE_PLACES, places, allow_pickle=False)
        digests[WIDE_PLACES] = digest_array(places)
    return StoredFeatures(narrow.shape[1:], digests, (), merged)
