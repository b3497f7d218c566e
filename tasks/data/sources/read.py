"""Read the samples of any source, by the reader for its kind.

A new kind of source is named twice here: in `check_source` and in `read`.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest
from foldproof.tasks.config import arrays_in_memory as memory
from foldproof.tasks.config.data import CsvSpec, DataSpec
from foldproof.tasks.data.sources import bundled, tables
from foldproof.tasks.data.sources import npz as arrays
from foldproof.tasks.data.sources.csv_format.read import is_csv, missing_word
from foldproof.tasks.data.sources.raw_table import RawData

PARQUET = (".parquet", ".pq")


def check_source(spec: DataSpec) -> None:
    """Refuse what cannot be a source before anything is loaded.

    Raises:
        InputError: the source is unknown, missing or of an unknown kind.
    """
    source = spec.source
    if source in bundled.NAMES or memory.is_in_memory(source) or "://" in source:
        return
    path = Path(source)
    if not os.path.isfile(path) and not os.path.isdir(path):  # noqa: PTH112,PTH113  # never raise
        _refuse_missing(path, source)
    if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
        raise InputError("data.source", f"may not read {source!r}; ask for its permission")
    known = is_csv(source) or source.lower().endswith((*PARQUET, ".npz"))
    if path.is_file() and not known:
        kinds = "a .csv, .parquet or .npz file, or a folder of Parquet files"
        raise InputError("data.source", f"{path.name!r} is of an unknown kind; give {kinds}")


def read(spec: DataSpec, fold_column: str | None) -> RawData:
    """Read the samples of a source.

    Args:
        spec: what to read.
        fold_column: the column that holds the folds of a predefined split.

    Raises:
        InputError: the source cannot be read or lacks a column.
    """
    check_source(spec)
    if spec.csv != CsvSpec() and not is_csv(spec.source):
        raise InputError("data.csv", f"{spec.source!r} is no CSV file; leave it out")
    if spec.source in bundled.NAMES:
        return tables.select(bundled.load(spec.source), spec.target or "target", spec, fold_column)
    if memory.is_in_memory(spec.source):
        return _in_memory(memory.get_arrays(spec.source), spec, fold_column)
    if spec.source.lower().endswith(".npz"):
        return arrays.select(arrays.load(spec.source), spec, fold_column)
    names = {str(name) for name in (spec.groups, fold_column) if name is not None}
    table, notices = tables.load(spec.source, spec.csv, names)
    return replace(tables.select(table, spec.target, spec, fold_column), notices=notices)


def _in_memory(found: memory.Arrays, spec: DataSpec, fold_column: str | None) -> RawData:
    if memory.TABLE in found.named:
        return tables.select(found.named[memory.TABLE], spec.target, spec, fold_column)
    raw = arrays.select(found.named, spec, fold_column)
    return raw if found.columns is None else raw.with_names(found.columns)


def refuse_lost_labels(raw: RawData) -> None:
    """Refuse a label such as NA that was taken for a missing value, and say how to keep it.

    Raises:
        InputError: the target is a CSV file's column of text with such words.
    """
    source, csv = raw.settings.source, raw.settings.csv
    gaps = sum(value is None for value in raw.target) if raw.target.dtype == object else 0
    if gaps and is_csv(source) and (word := missing_word(source, csv, str(raw.settings.target))):
        count = f"{gaps} of {raw.rows} values are missing, such as {word!r}"
        remedy = "if that is a label, set data.csv.missing to [], else remove those rows"
        raise InputError("data.target", f"{count}; {remedy}")


def _refuse_missing(path: Path, source: str) -> NoReturn:
    """Refuse a path that does not exist, with the likely reason."""
    if os.path.lexists(path) and not os.path.exists(path):  # noqa: PTH110
        raise InputError("data.source", f"{source!r} is a link to nothing; check the path")
    if os.path.exists(path):  # noqa: PTH110
        problem = f"{source!r} is a pipe or device; save the data in a file"
        raise InputError("data.source", problem)
    known = nearest(source, bundled.NAMES) if _is_bare(source) else "check the path "
    raise InputError("data.source", f"no file or folder {source!r}; {known.strip()}")


def _is_bare(source: str) -> bool:
    return "." not in source and "/" not in source
