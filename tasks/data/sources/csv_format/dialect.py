"""Detect the dialect of a CSV file from its first megabyte."""

import codecs
import csv
import io
import re
from dataclasses import dataclass

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import some_of
from foldproof.tasks.config.data import CsvSpec
from foldproof.tasks.data.sources.csv_format.encoding import encoding_of

SAMPLE_BYTES = 1 << 20  # of a file, to detect its dialect from
MAX_SAMPLE_ROWS = 1000
DELIMITERS = (",", ";", "\t", "|")
HASH = "#"
NUMBER = re.compile(r"[-+]?(\d[\d.,]*|[.,]\d+)([eE][-+]?\d+)?")
TYPED = re.compile(rf"{NUMBER.pattern}|true|false|\d{{4}}-\d\d-\d\d.*", re.IGNORECASE)
GAPS = {"", "?", "na", "nan", "null", "none", "n/a"}
DIGITS = re.compile(r"\d+")
SEP = re.compile(r'"?sep=(.)"?\n', re.IGNORECASE)  # what Excel writes above the header

Rows = list[list[str]]


@dataclass(frozen=True)
class Dialect:
    """The encoding, delimiter and header of a CSV file.

    Attributes:
        encoding: of its text.
        is_plain: the sample has no letter that depends on the encoding.
        delimiter: between columns.
        skip: lines above the header.
        comment: what lines to leave out begin with, or nothing.
        header: the first row names the columns.
        header_lines: how many lines that takes, with empty ones above it.
        names: the names where the header lacks one, else nothing.
        rows: the first rows of the data.
        found: what is unusual and was not said, as `setting: what was found`.
    """

    encoding: str
    is_plain: bool
    delimiter: str
    skip: int
    comment: str
    header: bool
    header_lines: int
    names: tuple[str, ...]
    rows: Rows
    found: dict[str, str]


def detect_dialect(sample: bytes, spec: CsvSpec, is_whole: bool, name: str) -> Dialect:
    """Detect the dialect of a CSV file.

    Args:
        sample: its first bytes.
        spec: what the user said of it.
        is_whole: the sample is the whole file.
        name: of the file, for messages.

    Raises:
        InputError: the first row is data, and nothing says so.
    """
    found: dict[str, str] = {}
    encoding = encoding_of(sample, found, name) if spec.encoding == "auto" else spec.encoding
    text, said = _without_sep(_whole_lines(sample, encoding, is_whole))
    comment = _comment(spec, text)
    above = _count_comments(text, comment)
    delimiter = said if spec.delimiter == "auto" else spec.delimiter
    delimiter = delimiter or _delimiter(_without(text, above))
    if above and spec.comment == "auto" and spec.header is not False:
        above -= _is_header(text, above, delimiter)
    rows = _rows(_without(text, above), delimiter)
    comment = comment if above or spec.comment != "auto" else ""
    header = _has_header(rows, name) if spec.header == "auto" else spec.header
    numbered = header and _count_up(rows[0] if rows else [])
    return Dialect(
        encoding=encoding,
        is_plain=sample.isascii(),
        delimiter=delimiter,
        skip=above + bool(said),
        comment=comment,
        header=header,
        header_lines=_header_lines(_without(text, above), rows),
        names=_names(rows, delimiter) if header else (),
        rows=rows[1:] if header else rows,
        found=found | _unusual(spec, delimiter, above, numbered),
    )


def _whole_lines(sample: bytes, encoding: str, is_whole: bool) -> str:
    """Return the sample's text without a line that goes on behind it."""
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample).removeprefix("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if is_whole or "\n" not in text else text[: text.rindex("\n") + 1]


def _without_sep(text: str) -> tuple[str, str]:
    """Return the text below a line that names the delimiter, and that; or all, and nothing."""
    said = SEP.match(text)
    if said and said[1] in DELIMITERS:
        return text[said.end() :], said[1]
    return text, ""


def _unusual(spec: CsvSpec, delimiter: str, above: int, numbered: bool) -> dict[str, str]:
    """Return what is unusual and was not said, as `setting: what was found`."""
    found = {}
    if spec.delimiter == "auto" and delimiter != ",":
        found["delimiter"] = "delimiter tab" if delimiter == "\t" else f"delimiter {delimiter!r}"
    if spec.comment == "auto" and above:
        found["comment"] = f"{above} comment line{'s' * (above > 1)}"
    if spec.header == "auto" and numbered:
        found["header"] = "a header of numbers, which are the columns' names"
    return found


def _comment(spec: CsvSpec, text: str) -> str:
    if spec.comment == "none":
        return ""
    return HASH if spec.comment == "auto" else spec.comment


def _count_comments(text: str, comment: str) -> int:
    """Return how many lines on top are comments, with empty ones among them."""
    count = 0
    for number, line in enumerate(text.split("\n") if comment else (), start=1):
        if line.lstrip().startswith(comment):
            count = number
        elif line.strip():
            break
    return count


def _without(text: str, lines: int) -> str:
    return text.split("\n", lines)[lines] if text.count("\n") >= lines else ""


def _is_header(text: str, above: int, delimiter: str) -> bool:
    """Return whether the last of the comments names the columns, as numpy.savetxt writes it."""
    rows = _rows(_without(text, above - 1), delimiter)
    if len(rows) < 2 or len(rows[0]) != len(rows[1]) or len(rows[0]) < 2:
        return False
    return not any(map(_is_value, rows[0])) and any(map(_is_value, rows[1]))


def _delimiter(text: str) -> str:
    """Return what divides all rows alike and leaves the most values that can be understood."""
    best, most = "", 0.0
    for delimiter in DELIMITERS:
        rows = _rows(text, delimiter)
        if len(rows) < 2 or len(rows[0]) < 2:
            continue
        widths = [len(row) for row in rows[1:]]
        alike = sum(width == max(widths) for width in widths) / len(widths)
        if alike < 0.9 or max(widths) - len(rows[0]) not in (0, 1):
            continue
        cells = [cell for row in rows[1:101] for cell in row]
        quality = sum(map(_is_value, cells)) / len(cells)
        if not best or quality > most:
            best, most = delimiter, quality
    first = text.partition("\n")[0]
    return best or max(DELIMITERS, key=first.count)


def _rows(text: str, delimiter: str) -> Rows:
    rows: Rows = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows += [row] if row else []
            if len(rows) > MAX_SAMPLE_ROWS:
                break
    except csv.Error:  # the reader that reads all of it will say what is wrong
        return rows
    return rows


def _has_header(rows: Rows, name: str) -> bool:
    """Refuse a first row that is data.

    Raises:
        InputError: it is.
    """
    if not rows or _count_up(rows[0]) or not _is_data(rows[0], rows[1:]):
        return True
    some = some_of([repr(cell.strip()) for cell in rows[0]], 3)
    problem = f"the first row of {name} is data ({some}), not names"
    remedy = "set --data.csv.header false, which names the columns 0, 1, 2, ..., or true"
    raise InputError("data.csv.header", f"{problem}; {remedy}")


def _is_data(row: list[str], below: Rows) -> bool:
    """Return whether a row has numbers or dates, and for the rest what also stands below."""
    if not any(TYPED.fullmatch(cell.strip()) for cell in row):
        return False
    return all(
        _is_value(cell) or _is_like(cell, [other[place] for other in below if place < len(other)])
        for place, cell in enumerate(row)
    )


def _is_like(cell: str, below: list[str]) -> bool:
    """Return whether a word stands below again, or but for its number, such as s1 above s2."""
    numbered = DIGITS.sub("0", cell)
    alike = numbered != cell and all(DIGITS.sub("0", other) == numbered for other in below)
    return cell in below or (bool(below) and alike)


def _count_up(row: list[str]) -> bool:
    """Return whether a row is 0, 1, 2 and so on, as pandas names columns that have no names."""
    cells = [cell.strip() for cell in row if cell.strip()]
    return len(cells) > 2 and any(
        cells == [str(i) for i in range(start, start + len(cells))] for start in (0, 1)
    )


def _is_value(cell: str) -> bool:
    return bool(TYPED.fullmatch(cell.strip())) or cell.strip().lower() in GAPS


def _header_lines(text: str, rows: Rows) -> int:
    empty = len(text) - len(text.lstrip("\n"))
    return empty + 1 + sum(cell.count("\n") for cell in (rows[0] if rows else ()))


def _names(rows: Rows, delimiter: str) -> tuple[str, ...]:
    """Return all names where the rows have one column more than the header, else nothing.

    R's write.table gives no name to the rows' names; other programs end each row, but not
    the header, with a delimiter.
    """
    if len(rows) < 2 or any(len(row) != len(rows[0]) + 1 for row in rows[1:]):
        return ()
    is_last = all(not row[-1].strip() for row in rows[1:])
    return (*rows[0], "") if is_last else ("", *rows[0])
