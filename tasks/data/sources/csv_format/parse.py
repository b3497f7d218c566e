"""Parse a CSV file of known dialect into a table."""

from dataclasses import dataclass, field, replace

import pyarrow as pa
from pyarrow import csv

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import CsvSpec
from foldproof.tasks.data.sources.addresses import ends_in
from foldproof.tasks.data.sources.csv_format.dialect import SAMPLE_BYTES, Dialect
from foldproof.tasks.data.sources.csv_format.ragged import refuse_ragged
from foldproof.tasks.data.sources.open_file import open_source

LARGE_BLOCK_BYTES = 1 << 28  # bytes, for rows that are longer than pyarrow's blocks of 1 MiB


@dataclass(frozen=True)
class CsvFile:
    """A CSV file and how it is read.

    Attributes:
        source: its path or URI.
        spec: the settings.
        dialect: how it is written.
        comments: lines between the rows that were left out.
        texts: columns that are read as text, whatever they hold.
    """

    source: str
    spec: CsvSpec
    dialect: Dialect
    comments: list[str] = field(default_factory=list)
    texts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file's name, for people."""
        return repr(self.source.rpartition("/")[2])


def sample_of(source: str) -> tuple[bytes, bool]:
    """Return the first bytes of a file, and whether that is all of it."""
    with open_source(source) as file, unpacked(source, file) as stream:
        sample = stream.read(SAMPLE_BYTES)
        return sample, len(sample) < SAMPLE_BYTES


def unpacked(source: str, file: object) -> pa.NativeFile:
    """Return the stream of an open file, decompressed if its name ends in .gz."""
    return pa.input_stream(file, compression="gzip" if ends_in(source, (".gz",)) else None)


def missing_words(spec: CsvSpec) -> list[str]:
    """Return the words for a missing value."""
    usual: list[str] = csv.ConvertOptions().null_values
    return usual if spec.missing == "auto" else ["", *spec.missing]


def parse_any(file: CsvFile, decimal: str) -> tuple[CsvFile, pa.Table]:
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
            table = parse(tried, decimal)
        except UnicodeDecodeError:
            continue
        if not any(pa.types.is_binary(kind) for kind in table.schema.types):
            return tried, table
    problem = f"{file.name} is not {encoding} text; set it to the file's, such as cp1252 or utf-8"
    raise InputError("data.csv.encoding", problem)


def parse(file: CsvFile, decimal: str) -> pa.Table:
    """Read the table in one encoding.

    Raises:
        InputError: a line is no row; the message names the line.
        pyarrow.ArrowException, UnicodeDecodeError: it cannot be read.
    """
    try:
        return _parse_in_blocks(file, decimal, None)
    except pa.ArrowInvalid as error:
        if "straddling" in str(error):
            return _parse_in_blocks(file, decimal, LARGE_BLOCK_BYTES)
        refuse_ragged(str(error), sample_of(file.source)[0], file.dialect, file.name)
        raise


def _parse_in_blocks(file: CsvFile, decimal: str, block: int | None) -> pa.Table:
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
        invalid_row_handler=_SkipComments(file) if dialect.comment else None,
    )
    converting = csv.ConvertOptions(
        decimal_point=decimal,
        strings_can_be_null=True,
        null_values=missing_words(file.spec),
        column_types=dict.fromkeys(_as_read(file), pa.string()),
    )
    with open_source(file.source) as opened:
        table = csv.read_csv(unpacked(file.source, opened), reading, parsing, converting)
    if not dialect.header:
        table = table.rename_columns([str(place) for place in range(table.num_columns)])
    return table


def _as_read(file: CsvFile) -> list[str]:
    """Return what the columns of text are called while the file is read."""
    return [name if file.dialect.header else f"f{name}" for name in file.texts]


@dataclass(frozen=True)
class _SkipComments:
    """Leave out rows that are comments, and no other row of another length."""

    file: CsvFile

    def __call__(self, row: csv.InvalidRow) -> str:
        if not row.text.lstrip().startswith(self.file.dialect.comment):
            return "error"
        self.file.comments.append(row.text)
        return "skip"
