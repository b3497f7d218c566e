"""Parquet files, and folders of them, in the order of their names; they are read in batches."""

import os
from functools import partial
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources import tables
from foldproof.tasks.data.sources.addresses import ends_in, is_of_a_file, is_uri, path_of
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.images.of_table import check_images
from foldproof.tasks.data.sources.kinds.parquet_folders import (
    refuse_no_parquet,
    refuse_others,
    refuse_twice_named,
)
from foldproof.tasks.data.sources.open_file import file_system_of
from foldproof.tasks.data.sources.raw_table import RawData
from foldproof.tasks.data.sources.table_on_disk import table_on_disk

ENDINGS = (".parquet", ".pq")


def _read(spec: DataSpec, fold_column: str | None) -> RawData:
    table, _ = tables.checked_table(spec.source, lambda: (_open_parquet(spec.source), ()))
    raw = tables.select(table, spec.target, spec, fold_column)
    return raw if spec.images.column is None else raw.in_memory()


def _open_parquet(source: str) -> tables.Table:
    """Return a table that is read in batches, or a whole one where files differ in columns."""
    system, path = file_system_of(source)
    is_folder = not is_uri(source) and Path(source).is_dir()
    if is_folder:
        refuse_no_parquet(source)
    try:
        dataset = parquet.ParquetDataset(path, filesystem=system)
        load = partial(_with_kinds, dataset)
        return table_on_disk(source, system, dataset, _categories(dataset.schema), load) or load()
    except pa.ArrowTypeError as error:
        refuse_twice_named(error)
        raise
    except (pa.ArrowException, OSError):
        if is_folder:
            refuse_others(source)
        raise


def _with_kinds(dataset: parquet.ParquetDataset, columns: list[str] | None = None) -> pa.Table:
    """Read a data set: names of folders that are numbers are, and pandas' categories stay."""
    table = dataset.read(columns=columns)
    of_folders = dataset.partitioning.schema.names if dataset.partitioning else []
    categories = _categories(table.schema)
    for place, field in enumerate(table.schema):
        column, kind = table.column(place), field.type
        is_encoded = pa.types.is_dictionary(kind)
        if is_encoded and field.name in of_folders and pa.types.is_integer(kind.value_type):
            table = table.set_column(place, field.name, column.cast(kind.value_type))
        elif not is_encoded and field.name in categories:
            table = table.set_column(place, field.name, column.dictionary_encode())
    return table


def _categories(schema: pa.Schema) -> set[str]:
    """Return the columns that pandas wrote as categories, whatever their type in the file."""
    described = (schema.pandas_metadata or {}).get("columns", [])
    return {each["name"] for each in described if each.get("pandas_type") == "categorical"}


def _takes(address: str) -> bool:
    """Return whether it is a Parquet file, or a folder; far away, that is what has no ending."""
    if not is_uri(address):
        return ends_in(address, ENDINGS) or os.path.isdir(address)  # noqa: PTH112  # never raises
    name = path_of(address).rpartition("/")[2]
    return is_of_a_file(address) and ("." not in name or ends_in(address, ENDINGS))


SOURCE = Source(
    "a .parquet or .pq file, or a folder of Parquet files",
    takes=_takes,
    read=_read,
    settings=("images",),
    check=check_images,
    precedence=-1,
)
