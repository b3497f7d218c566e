"""Parquet files, and folders of them, in the order of their names."""

import os
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

ENDINGS = (".parquet", ".pq")


def _read(spec: DataSpec, fold_column: str | None) -> RawData:
    table, _ = tables.checked_table(spec.source, lambda: (_read_parquet(spec.source), ()))
    return tables.select(table, spec.target, spec, fold_column)


def _read_parquet(source: str) -> pa.Table:
    system, path = file_system_of(source)
    is_folder = not is_uri(source) and Path(source).is_dir()
    if is_folder:
        refuse_no_parquet(source)
    try:
        return _with_kinds(parquet.ParquetDataset(path, filesystem=system))
    except pa.ArrowTypeError as error:
        refuse_twice_named(error)
        raise
    except (pa.ArrowException, OSError):
        if is_folder:
            refuse_others(source)
        raise


def _with_kinds(dataset: parquet.ParquetDataset) -> pa.Table:
    """Read a data set: names of folders that are numbers are, and pandas' categories stay."""
    table = dataset.read()
    of_folders = dataset.partitioning.schema.names if dataset.partitioning else []
    described = (table.schema.pandas_metadata or {}).get("columns", [])
    categories = {each["name"] for each in described if each.get("pandas_type") == "categorical"}
    for place, field in enumerate(table.schema):
        column, kind = table.column(place), field.type
        is_encoded = pa.types.is_dictionary(kind)
        if is_encoded and field.name in of_folders and pa.types.is_integer(kind.value_type):
            table = table.set_column(place, field.name, column.cast(kind.value_type))
        elif not is_encoded and field.name in categories:
            table = table.set_column(place, field.name, column.dictionary_encode())
    return table


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
