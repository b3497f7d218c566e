"""SQLite databases: a query's rows, read from the file without changing it."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import first_line
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.local_files import refuse_unreadable
from foldproof.tasks.data.sources.raw_table import RawData
from foldproof.tasks.data.sources.sql.rows import check_query, raw_data, wrapped

START = "sqlite:///"
DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")  # as SQLite's functions write


def _read(spec: DataSpec, fold_column: str | None) -> RawData:
    address = Path(_path(spec.source)).resolve().as_uri() + "?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as database:
            for line in ("pragma query_only = on", "pragma trusted_schema = off", "begin"):
                database.execute(line)
            found = database.execute(wrapped(str(spec.query)))
            names, rows = [column[0] for column in found.description], found.fetchall()
    except sqlite3.DatabaseError as error:
        raise _refusal(error, spec) from None
    except sqlite3.Warning as error:  # of Python's before 3.12: two statements
        raise InputError("data.query", f"{first_line(error)}; give one select") from None
    columns = [_dates(values) for values in zip(*rows, strict=True)]
    rows = list(zip(*columns, strict=True))
    return raw_data(names, rows, spec, fold_column, repr(Path(_path(spec.source)).name))


def _refusal(error: sqlite3.DatabaseError, spec: DataSpec) -> InputError:
    if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError):
        return InputError("data.query", f"{first_line(error)}; give a select that the file answers")
    problem = f"cannot read {spec.source!r}: {first_line(error)}"
    return InputError("data.source", f"{problem}; give an SQLite file that is whole")


def _dates(values: Sequence[Any]) -> Sequence[Any]:
    """Return a column of texts that are all dates or all times as such; SQLite has no type."""
    texts = [value for value in values if value is not None]
    if not texts or not all(isinstance(text, str) and text[:4].isdigit() for text in texts):
        return values
    for form in DATES:
        try:
            return [None if text is None else datetime.strptime(text, form) for text in values]
        except ValueError:
            continue
    return values


def _path(address: str) -> str:
    return address[len(START) :]


def _check(spec: DataSpec) -> None:
    path = _path(spec.source)
    if not spec.source.lower().startswith(START) or not path.strip("/") or path == ":memory:":
        problem = f"{spec.source!r} names no file; write sqlite:///FILE, sqlite:////FOLDER/FILE"
        raise InputError("data.source", problem)
    refuse_unreadable(path, ())
    if os.path.isdir(path):  # noqa: PTH112  # never raises
        raise InputError("data.source", f"{path!r} is a folder; name the SQLite file in it")
    check_query(spec)


SOURCE = Source(
    "sqlite:///FILE",
    takes=lambda address: address.lower().startswith("sqlite://"),
    read=_read,
    settings=("query",),
    location=_path,
    check=_check,
)
