"""Excel workbooks: one sheet, whose first row names the columns."""

import warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any
from zipfile import BadZipFile, ZipFile

import pyarrow as pa

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.extras import refuse_missing
from foldproof.tasks.common.text import first_line, nearest, some_of
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources import tables
from foldproof.tasks.data.sources.addresses import ends_in
from foldproof.tasks.data.sources.csv_format.unnamed_columns import (
    drop_empty_last_rows,
    drop_unnamed_columns,
)
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.images.of_table import check_images
from foldproof.tasks.data.sources.kinds.npz import refuse_oversized
from foldproof.tasks.data.sources.open_file import open_source
from foldproof.tasks.data.sources.raw_table import RawData

GAP = "#N/A"  # Excel's own word for no value; other errors are faults
TIMES, NUMBERS = (datetime, date), (int, float)


def _read(spec: DataSpec, fold_column: str | None) -> RawData:
    table, notices = tables.checked_table(spec.source, lambda: _read_excel(spec))
    return tables.select(table, spec.target, spec, fold_column).with_notices(notices)


def _read_excel(spec: DataSpec) -> tuple[pa.Table, tuple[str, ...]]:
    name = repr(spec.source.rpartition("/")[2])
    rows = _rows(spec, name)
    header = ["" if title is None else str(title) for title in rows[0]]
    cells = [[row[i] if i < len(row) else None for row in rows[1:]] for i in range(len(header))]
    _refuse_title(header, cells, name)
    columns = [_column(name, *column) for column in zip(header, cells, strict=True)]
    table = pa.table(columns, header)
    table, left_out = drop_unnamed_columns(table, name)
    table, ended = drop_empty_last_rows(table, name)
    return table, (*left_out, *ended)


def _rows(spec: DataSpec, name: str) -> list[list[Any]]:
    """Return the values of a sheet; the first row is as long as the longest.

    Raises:
        InputError: it is no workbook, or a cell has no value yet.
    """
    from openpyxl import load_workbook

    with open_source(spec.source) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and other things that no table is made of
        try:
            with ZipFile(file) as archive:
                refuse_oversized(archive)
            values = load_workbook(file, read_only=True, data_only=True)
            sheet = _sheet(values, spec, name)
            formulas = load_workbook(file, read_only=True)[sheet]
            found = list(_checked(values[sheet], formulas, name))
        except InputError:
            raise
        except (BadZipFile, KeyError, ValueError, OSError, TypeError, SyntaxError) as error:
            problem = f"{name} is not a readable workbook ({first_line(error)})"
            raise InputError("data.source", f"{problem}; save it as .xlsx or CSV") from None
    if not found:
        raise InputError("data.source", f"sheet {sheet!r} of {name} is empty; set data.excel.sheet")
    found[0] += [None] * (max(map(len, found)) - len(found[0]))
    return found


def _sheet(book: Any, spec: DataSpec, name: str) -> str:
    """Return the name of the sheet to read: the one that was named, or that alone is filled."""
    known: list[str] = [sheet.title for sheet in book.worksheets]
    chosen = spec.excel.sheet
    if chosen is not None and chosen not in known:
        problem = f"{name} has no sheet {chosen!r}; {nearest(chosen, known).strip()}"
        raise InputError("data.excel.sheet", problem)
    filled = [title for title in known if any(_filled(book[title]))] or known
    if chosen is None and len(filled) > 1:
        problem = f"{name} has {len(filled)} sheets: {some_of([repr(t) for t in filled], 5)}"
        raise InputError("data.excel.sheet", f"{problem}; name one")
    return chosen or filled[0]


def _filled(sheet: Any) -> Iterator[bool]:
    yield from (value is not None for row in sheet.iter_rows(values_only=True) for value in row)


def _checked(values: Any, formulas: Any, name: str) -> Iterator[list[Any]]:
    """Yield the values of each row; refuse formulas that were left to Excel, or failed there."""
    for row, sources in zip(values.iter_rows(), formulas.iter_rows(), strict=True):
        for cell, source in zip(row, sources, strict=True):
            if source.data_type == "f" and cell.value is None:
                problem = f"cell {source.coordinate} of {name} is a formula without a stored value"
                raise InputError("data.source", f"{problem}; open the file in Excel and save it")
            if cell.data_type == "e" and cell.value != GAP:
                problem = f"cell {cell.coordinate} of {name} holds {cell.value}"
                raise InputError("data.source", f"{problem}; correct or empty it")
        yield [cell.value for cell in row]


def _refuse_title(header: list[str], cells: list[list[Any]], name: str) -> None:
    """Refuse a first row that names too few columns to be a header."""
    filled = [any(value is not None for value in column) for column in cells]
    unnamed = [not title and full for title, full in zip(header, filled, strict=True)].count(True)
    if unnamed > 1:
        remedy = "a title above the header? Remove it"
        raise InputError("data.source", f"{unnamed} columns of {name} have no name ({remedy})")


def _column(file: str, name: str, values: Sequence[Any]) -> pa.Array:
    """Return the values of a column, which must be of one kind; whole and other numbers are."""
    cells = [None if value in (GAP, "") else value for value in values]
    kinds: dict[str, tuple[int, Any]] = {}
    for number, value in enumerate(cells, 2):
        if value is not None:
            kinds.setdefault(_kind(value), (number, value))
    if len(kinds) > 1:
        seen = " and ".join(f"{kind} (row {n}: {v!s:.20})" for kind, (n, v) in kinds.items())
        problem = f"column {name!r} of {file} holds {seen}"
        raise InputError("data.source", f"{problem}; make all of one kind")
    if kinds.keys() == {"dates"}:
        return pa.array(cells, pa.timestamp("us"))
    return pa.array(cells, pa.float64() if any(isinstance(c, float) for c in cells) else None)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "booleans"
    if isinstance(value, NUMBERS):
        return "numbers"
    if isinstance(value, TIMES):
        return "dates"
    return {str: "text", time: "times"}.get(type(value), type(value).__name__)


def _check(spec: DataSpec) -> None:
    refuse_missing("data.source", "openpyxl", "excel")
    check_images(spec)


SOURCE = Source(
    "an .xlsx or .xlsm workbook",
    takes=lambda address: ends_in(address, (".xlsx", ".xlsm")),
    read=_read,
    settings=("excel", "images"),
    check=_check,
)
