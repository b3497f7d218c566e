"""Read CSV files with any delimiter, encoding, decimal mark and header."""

from collections.abc import Collection, Iterator
from itertools import islice, zip_longest

import pyarrow as pa

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import CsvSpec
from foldproof.tasks.data.sources.addresses import ends_in
from foldproof.tasks.data.sources.csv_format.dialect import detect_dialect
from foldproof.tasks.data.sources.csv_format.numerals import Evidence, count_evidence, read_numbers
from foldproof.tasks.data.sources.csv_format.parse import (
    CsvFile,
    missing_words,
    parse,
    parse_any,
    sample_of,
)
from foldproof.tasks.data.sources.csv_format.plain_texts import whole_numbers
from foldproof.tasks.data.sources.csv_format.unnamed_columns import (
    drop_empty_last_rows,
    drop_unnamed_columns,
)

ENDINGS = (".csv", ".tsv", ".tab", ".csv.gz", ".tsv.gz", ".tab.gz")
MAX_SAMPLED_COLUMNS = 1000  # to detect the decimal mark from
OTHERS = {  # what files of other kinds begin with
    b"PK\x03\x04": "an Excel workbook or zip file",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "packed with gzip",
}


def is_csv(source: str) -> bool:
    """Return whether a source is a CSV file, by its name."""
    return ends_in(source, ENDINGS)


def read_csv(
    source: str, spec: CsvSpec, names: Collection[str] = (), texts: Collection[str] = ()
) -> tuple[pa.Table, tuple[str, ...]]:
    """Read a CSV file.

    Args:
        source: its path or URI.
        spec: how it is written.
        names: columns whose values are names, also where they look like numbers with marks.
        texts: columns that keep every character, unless all are plain whole numbers.

    Returns:
        The table, and what is unusual about the file, a line each.

    Raises:
        InputError: it is not a table, or could be read in two ways.
        pyarrow.ArrowException, UnicodeDecodeError: it cannot be read.
    """
    sample, is_whole = sample_of(source)
    name = repr(source.rpartition("/")[2])
    _refuse_others(sample, name)
    file = CsvFile(source, spec, detect_dialect(sample, spec, is_whole, name), texts=tuple(texts))
    evidence = count_evidence(_columns(file.dialect.rows, spec))
    decimal = _decimal(file, evidence)
    file, table = parse_any(file, decimal)
    if spec.decimal == "auto" and decimal == ".":
        later = count_evidence(c for c in table.columns if pa.types.is_string(c.type))
        evidence = Evidence(
            max(evidence.commas, later.commas), evidence.points + later.points, False
        )
        if (decimal := _decimal(file, evidence)) != ".":
            table = parse(file, decimal)
    found = dict(file.dialect.found)
    if spec.decimal == "auto" and decimal != ".":
        found["decimal"] = f"decimal {decimal!r}"
    table = whole_numbers(_numbers(table, file, decimal, evidence, found, names), texts)
    if file.comments and spec.comment == "auto":
        found["comment"] = f"{file.dialect.comment!r} before comments"
    table, left_out = drop_unnamed_columns(table, file.name)
    table, ended = drop_empty_last_rows(table, file.name)
    return table, (*_told(file.name, found), *left_out, *ended)


def missing_word(source: str, spec: CsvSpec, column: str) -> str:
    """Return the first word of a column of text that is taken for a missing value, or nothing."""
    if spec.missing != "auto":
        return ""
    taken, _ = read_csv(source, spec)
    kept, _ = read_csv(source, spec.model_copy(update={"missing": []}))
    words = kept[column].filter(taken[column].is_null()).drop_null()
    return str(words[0].as_py()) if len(words) and pa.types.is_string(taken[column].type) else ""


def _refuse_others(sample: bytes, name: str) -> None:
    """Refuse a file that is no text, whatever its name says.

    Raises:
        InputError: it is of another kind.
    """
    for start, kind in OTHERS.items():
        if sample.startswith(start):
            remedy = "name it .csv.gz" if "gzip" in kind else "save it as CSV"
            raise InputError("data.source", f"{name} is {kind}; {remedy}")


def _columns(rows: list[list[str]], spec: CsvSpec) -> Iterator[pa.Array]:
    """Yield the sample's columns as text with nulls for gaps."""
    gaps = {"", *missing_words(spec)}
    for column in islice(zip_longest(*rows, fillvalue=""), MAX_SAMPLED_COLUMNS):
        text = [None if value.strip() in gaps else value for value in column]
        yield pa.array(text, pa.string())


def _decimal(file: CsvFile, evidence: Evidence) -> str:
    """Return the decimal mark.

    Raises:
        InputError: the numbers would be others with the other one.
    """
    spec, delimiter = file.spec, file.dialect.delimiter
    if spec.decimal != "auto":
        return spec.decimal
    if spec.thousands in (",", "."):
        return "." if spec.thousands == "," else ","
    decimal = evidence.decimal(delimiter)
    if delimiter != "," and decimal == "." and evidence.open_points and not evidence.points:
        problem = f"numbers such as 1.234 in {file.name} may be 1.234 or 1234; set it to . or to ,"
        raise InputError("data.csv.decimal", problem)
    return decimal


def _numbers(
    table: pa.Table,
    file: CsvFile,
    decimal: str,
    evidence: Evidence,
    found: dict[str, str],
    names: Collection[str],
) -> pa.Table:
    """Turn columns of text into numbers that have marks between their thousands."""
    spec = file.spec
    sure = spec.decimal != "auto" or spec.thousands != "auto" or evidence.points > 0
    for place, column in enumerate(table.columns):
        if not pa.types.is_string(column.type) or table.column_names[place] in names:
            continue
        numbers, mark = read_numbers(column, decimal, spec, sure)
        if mark and spec.thousands == "auto":
            found["thousands"] = f"thousands {mark!r}"
        table = table.set_column(place, table.column_names[place], numbers)
    return table


def _told(name: str, found: dict[str, str]) -> tuple[str, ...]:
    if not found:
        return ()
    settings = ", ".join(f"data.csv.{setting}" for setting in found)
    return (f"{name} has {', '.join(found.values())}; if that is wrong, set {settings}",)
