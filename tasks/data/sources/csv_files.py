"""CSV files, in whatever way they are written."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice, zip_longest

import pyarrow as pa
from pyarrow import csv

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import CsvSpec
from foldproof.tasks.data.sources.csv_dialect import SAMPLE, Dialect, recognise
from foldproof.tasks.data.sources.numerals import Evidence, read_numbers, weigh
from foldproof.tasks.data.sources.open_file import open_source
from foldproof.tasks.data.sources.ragged import refuse_ragged
from foldproof.tasks.data.sources.unnamed_columns import without_empty_end, without_unnamed

ENDINGS = (".csv", ".tsv", ".tab")
MOST_COLUMNS = 1000  # whose numbers are looked at before the file is read
OTHERS = {  # what files of other kinds begin with
    b"PK\x03\x04": "an Excel workbook or zip file",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "packed with gzip",
}
LARGE_BLOCK = 1 << 28  # bytes, for rows that are longer than pyarrow's blocks of 1 MiB


@dataclass(frozen=True)
class _File:
    """A CSV file and how it is read.

    Attributes:
        source: its path or URI.
        spec: the settings.
        dialect: how it is written.
        comments: lines between the rows that were left out.
    """

    source: str
    spec: CsvSpec
    dialect: Dialect
    comments: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The file's name, for people."""
        return repr(self.source.rpartition("/")[2])


def is_csv(source: str) -> bool:
    """Tell whether a source is a CSV file, by its name."""
    return source.lower().removesuffix(".gz").endswith(ENDINGS)


def read_csv(
    source: str, spec: CsvSpec, names: Collection[str] = ()
) -> tuple[pa.Table, tuple[str, ...]]:
    """Read a CSV file.

    Args:
        source: its path or URI.
        spec: how it is written.
        names: columns whose values are names, also where they look like numbers with marks.

    Returns:
        The table, and what is unusual about the file, a line each.

    Raises:
        InputError: it is not a table, or could be read in two ways.
        pyarrow.ArrowException, UnicodeDecodeError: it cannot be read.
    """
    sample, is_whole = _sample(source)
    name = repr(source.rpartition("/")[2])
    _refuse_others(sample, name)
    file = _File(source, spec, recognise(sample, spec, is_whole, name))
    evidence = weigh(_columns(file.dialect.rows, spec))
    decimal = _decimal(file, evidence)
    file, table = _parse_any(file, decimal)
    if spec.decimal == "auto" and decimal == ".":
        later = weigh(c for c in table.columns if pa.types.is_string(c.type))
        evidence = Evidence(
            max(evidence.commas, later.commas), evidence.points + later.points, False
        )
        if (decimal := _decimal(file, evidence)) != ".":
            table = _parse(file, decimal)
    found = dict(file.dialect.found)
    if spec.decimal == "auto" and decimal != ".":
        found["decimal"] = f"decimal {decimal!r}"
    table = _numbers(table, file, decimal, evidence, found, names)
    if file.comments and spec.comment == "auto":
        found["comment"] = f"{file.dialect.comment!r} before comments"
    table, left_out = without_unnamed(table, file.name)
    table, ended = without_empty_end(table, file.name)
    return table, (*_told(file.name, found), *left_out, *ended)


def missing_word(source: str, spec: CsvSpec, column: str) -> str:
    """Return the first word of a column of text that is taken for a missing value, or nothing."""
    if spec.missing != "auto":
        return ""
    taken, _ = read_csv(source, spec)
    kept, _ = read_csv(source, spec.model_copy(update={"missing": []}))
    words = kept[column].filter(taken[column].is_null()).drop_null()
    return str(words[0].as_py()) if len(words) and pa.types.is_string(taken[column].type) else ""


def _sample(source: str) -> tuple[bytes, bool]:
    with open_source(source) as file, _unpacked(source, file) as stream:
        sample = stream.read(SAMPLE)
        return sample, len(sample) < SAMPLE


def _refuse_others(sample: bytes, name: str) -> None:
    """Refuse a file that is no text, whatever its name says.

    Raises:
        InputError: it is of another kind.
    """
    for start, kind in OTHERS.items():
        if sample.startswith(start):
            remedy = "name it .csv.gz" if "gzip" in kind else "save it as CSV"
            raise InputError("data.source", f"{name} is {kind}; {remedy}")


def _unpacked(source: str, file: object) -> pa.NativeFile:
    return pa.input_stream(file, compression="gzip" if source.lower().endswith(".gz") else None)


def _columns(rows: list[list[str]], spec: CsvSpec) -> Iterator[pa.Array]:
    """Yield the sample's columns as text with nulls for gaps."""
    gaps = {"", *_missing(spec)}
    for column in islice(zip_longest(*rows, fillvalue=""), MOST_COLUMNS):
        text = [None if value.strip() in gaps else value for value in column]
        yield pa.array(text, pa.string())


def _missing(spec: CsvSpec) -> list[str]:
    usual: list[str] = csv.ConvertOptions().null_values
    return usual if spec.missing == "auto" else ["", *spec.missing]


def _decimal(file: _File, evidence: Evidence) -> str:
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


def _parse_any(file: _File, decimal: str) -> tuple[_File, pa.Table]:
    """Read the table; text beyond the sample that is not UTF-8 is read once more.

    Raises:
        InputError: its encoding was said, and is another one.
    """
    others = {"utf-8": ("cp1252", "latin-1"), "cp1252": ("latin-1",)}
    encoding = file.dialect.encoding
    may_be_other = file.spec.encoding == "auto" and (encoding != "utf-8" or file.dialect.is_plain)
    tries = (encoding, *(others.get(encoding, ()) if may_be_other else ()))
    for encoding in tries:
        found = file.dialect.found
        if encoding != file.dialect.encoding:
            found = {**found, "encoding": f"encoding {encoding}"}
        tried = replace(file, dialect=replace(file.dialect, encoding=encoding, found=found))
        try:
            table = _parse(tried, decimal)
        except UnicodeDecodeError:
            continue
        if not any(pa.types.is_binary(kind) for kind in table.schema.types):
            return tried, table
    problem = f"{file.name} is not {encoding} text; set it to the file's, such as cp1252 or utf-8"
    raise InputError("data.csv.encoding", problem)


def _parse(file: _File, decimal: str) -> pa.Table:
    try:
        return _parse_in_blocks(file, decimal, None)
    except pa.ArrowInvalid as error:
        if "straddling" in str(error):
            return _parse_in_blocks(file, decimal, LARGE_BLOCK)
        refuse_ragged(str(error), _sample(file.source)[0], file.dialect, file.name)
        raise


def _parse_in_blocks(file: _File, decimal: str, block: int | None) -> pa.Table:
    dialect = file.dialect
    reading = csv.ReadOptions(
        skip_rows=dialect.skip + (dialect.header_lines if dialect.names else 0),
        column_names=list(dialect.names) or None,
        autogenerate_column_names=not dialect.header,
        encoding=dialect.encoding.replace("utf-8", "utf8"),
        block_size=block,
    )
    # With line breaks in values from the start: without, blocks that they cross are misread.
    parsing = csv.ParseOptions(
        delimiter=dialect.delimiter,
        newlines_in_values=True,
        invalid_row_handler=_Bad(file) if dialect.comment else None,
    )
    converting = csv.ConvertOptions(
        decimal_point=decimal, strings_can_be_null=True, null_values=_missing(file.spec)
    )
    with open_source(file.source) as opened:
        table = csv.read_csv(_unpacked(file.source, opened), reading, parsing, converting)
    if not dialect.header:
        table = table.rename_columns([str(place) for place in range(table.num_columns)])
    return table


@dataclass(frozen=True)
class _Bad:
    """Leave out rows that are comments, and no other row of another length."""

    file: _File

    def __call__(self, row: csv.InvalidRow) -> str:
        if not row.text.lstrip().startswith(self.file.dialect.comment):
            return "error"
        self.file.comments.append(row.text)
        return "skip"


def _numbers(
    table: pa.Table,
    file: _File,
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
