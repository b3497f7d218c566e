"""The bundled data sets in the byte forms in which programs write tables as text."""

import csv
import gzip
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from foldproof.tasks.data.sources.kinds import bundled
from tests.support.places import ROOT

FOREIGN = ROOT / "tests" / "data" / "foreign"  # written by polars and fastparquet
NAMES = bundled.NAMES


def frame(name: str) -> pd.DataFrame:
    """Return a bundled data set, its numbers with up to 15 digits."""
    table = bundled.load(name).to_pandas()
    numbers = table.select_dtypes("float").columns
    table[numbers] = table[numbers].map(lambda value: float(f"{value:.15g}"))
    return table


def text_forms(table: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Yield (what wrote it, the bytes) of a table in every form."""
    yield from _pandas(table)
    yield from _r(table)
    yield from _excel(table)


def _pandas(table: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    options: dict[str, dict[str, Any]] = {
        "pandas": {},
        "pandas, tabs": {"sep": "\t"},
        "pandas, pipes": {"sep": "|"},
        "pandas, semicolons": {"sep": ";"},
        "pandas, decimal commas": {"sep": ";", "decimal": ","},
        "pandas, tabs and decimal commas": {"sep": "\t", "decimal": ","},
        "pandas, all quoted": {"quoting": csv.QUOTE_ALL},
        "pandas, text quoted": {"quoting": csv.QUOTE_NONNUMERIC},
        "pandas, exponents": {"float_format": "%.14e"},
        "pandas, no last line's end": {"lineterminator": "\r"},
    }
    for name, given in options.items():
        text = table.to_csv(index=False, **given)
        yield name, text.encode()
    text = table.to_csv(index=False)
    yield "pandas, utf-16", text.encode("utf-16")
    yield "pandas, byte order mark", text.encode("utf-8-sig")
    yield "pandas, no end", text.rstrip("\n").encode()
    yield "pandas, a comment on top", b"# exported on a Monday\n# by somebody\n" + text.encode()


def _r(table: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Yield what R writes: text and names quoted, 15 digits, and row names unless told not to."""
    rows = [[_r_value(value) for value in row] for row in table.itertuples(index=False)]
    header = [f'"{name}"' for name in table.columns]
    named = [[f'"{place}"', *row] for place, row in enumerate(rows, start=1)]
    commas = [[_with_comma(value) for value in row] for row in rows]
    yield "R, write.csv", _lines([['""', *header], *named], ",")
    yield "R, write.csv without row names", _lines([header, *rows], ",")
    yield "R, write.csv2 without row names", _lines([header, *commas], ";")
    yield "R, write.table with commas", _lines([header, *named], ",")
    yield "R, write.table with tabs", _lines([header, *rows], "\t")


def _excel(table: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    """Yield what Excel exports: lines end in CRLF, nothing is quoted without need."""
    rows = [[_excel_value(value) for value in row] for row in table.itertuples(index=False)]
    rows = [[str(name) for name in table.columns], *rows]
    commas = [rows[0], *([_with_comma(value) for value in row] for row in rows[1:])]
    us, german = _lines(rows, ",", "\r\n"), _lines(commas, ";", "\r\n")
    yield "Excel, US", us
    yield "Excel, US, CSV UTF-8", b"\xef\xbb\xbf" + us
    yield "Excel, German", german.decode().encode("cp1252")
    yield "Excel, German, CSV UTF-8", b"\xef\xbb\xbf" + german
    yield "Excel, German, Unicode text", _lines(commas, "\t", "\r\n").decode().encode("utf-16")
    yield "Excel, German, named delimiter", b"sep=;\r\n" + german
    wider = [[*row, "", ""] for row in commas]
    yield "Excel, German, empty columns behind", _lines(wider, ";", "\r\n")


def _r_value(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return "NA" if math.isnan(value) else f"{value:.15g}"


def _excel_value(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.15g}".replace("e", "E")


def _with_comma(value: str) -> str:
    is_text = value[:1].isalpha() or value[:1] == '"'
    return value if is_text else value.replace(".", ",")


def _lines(rows: list[list[str]], delimiter: str, end: str = "\n") -> bytes:
    return "".join(delimiter.join(row) + end for row in rows).encode()


def write_forms(table: pd.DataFrame, folder: Path) -> Iterator[tuple[str, Path]]:
    """Write a table in every form of text and as pyarrow writes Parquet; yield what and where."""
    for number, (name, data) in enumerate(text_forms(table)):
        path = folder / f"{number}.csv"
        path.write_bytes(data)
        yield name, path
    packed = folder / "packed.csv.gz"
    packed.write_bytes(gzip.compress(table.to_csv(index=False).encode()))
    yield "pandas, gzip", packed
    for name, given in (("pyarrow", {}), ("pyarrow, brotli", {"compression": "brotli"})):
        path = folder / f"{name}.parquet"
        table.to_parquet(path, index=False, **given)
        yield name, path
