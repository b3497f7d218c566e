"""Parse numbers with decimal commas and thousands separators."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from foldproof.tasks.config.data import THOUSANDS, CsvSpec

EXPONENT = r"([eE][-+]?\d+)?$"
BETWEEN = "['\u2019 \u00a0\u202f_]"  # marks between thousands that are never decimal marks
NUMERAL = rf"^[-+]?[\d.,]+({BETWEEN}[\d.,]+)*{EXPONENT}"


def _certain(mark: str, other: str) -> str:
    """Return the pattern of a number in which a mark can only stand before decimals."""
    grouped = rf"[1-9]\d{{0,2}}((\{other}|{BETWEEN})\d{{3}})+\{mark}\d*"
    odd = rf"\d*\{mark}(\d{{1,2}}|\d{{4,}})|0\d*\{mark}\d+|\{mark}\d+|\d{{4,}}\{mark}\d+"
    return rf"^[-+]?({grouped}|{odd}|\d+\{mark}\d+[eE][-+]?\d+){EXPONENT}"


DECIMAL = {",": _certain(",", "."), ".": _certain(".", ",")}
GROUPS = {mark: rf"^[-+]?[1-9]\d{{0,2}}(\{mark}\d{{3}}){{2,}}$" for mark in ",."}
EITHER = {mark: rf"^[-+]?[1-9]\d{{0,2}}\{mark}\d{{3}}$" for mark in ",."}  # 1,234


@dataclass(frozen=True)
class Evidence:
    """Evidence for the decimal mark of a file, counted over its columns.

    Attributes:
        commas: columns with a decimal comma, or with points between thousands.
        points: columns with a decimal point, or with commas between thousands.
        open_points: some could have either, such as 1.234.
    """

    commas: int
    points: int
    open_points: bool

    def decimal(self, delimiter: str) -> str:
        """Return the decimal mark; a comma between commas needs two columns to be believed."""
        enough = 2 if delimiter == "," else 1
        return "," if self.commas >= enough and not self.points else "."


def count_evidence(columns: Iterable[pa.ChunkedArray | pa.Array]) -> Evidence:
    """Count the evidence for either decimal mark, over columns that hold only numbers."""
    commas = points = 0
    is_open = False
    for column in columns:
        text = pc.utf8_trim_whitespace(column)
        if not _all(text, NUMERAL):
            continue
        commas += _any(text, DECIMAL[","]) or _any(text, GROUPS["."])
        points += _any(text, DECIMAL["."]) or _any(text, GROUPS[","])
        is_open |= _any(text, EITHER["."])
    return Evidence(commas, points, is_open)


def is_ambiguous(column: pa.ChunkedArray) -> bool:
    """Return whether every number of a text column with commas may be read in two ways."""
    text = pc.utf8_trim_whitespace(column)
    return _all(text, rf"{EITHER[',']}|^[-+]?\d+$") and _any(text, EITHER[","])


def writes_commas(column: pa.ChunkedArray) -> bool:
    """Return whether a text column holds numbers with decimal commas and nothing else."""
    text = pc.utf8_trim_whitespace(column)
    return _all(text, rf"{DECIMAL[',']}|{EITHER[',']}|^[-+]?\d+$") and _any(text, DECIMAL[","])


def read_numbers(
    column: pa.ChunkedArray, decimal: str, spec: CsvSpec, sure: bool
) -> tuple[pa.ChunkedArray, str]:
    """Turn a column of text into numbers where every value is one.

    Args:
        column: text, with nulls for gaps.
        decimal: the decimal mark of the file.
        spec: the settings.
        sure: the decimal mark is known; otherwise 1,234 stays text.

    Returns:
        The column as numbers and the mark between its thousands, or the column as it was.
    """
    text = pc.utf8_trim_whitespace(column)
    if not _all(text, NUMERAL):
        return column, ""
    point = re.escape(decimal)
    for mark in _marks(spec, decimal):
        if mark == "," and not sure and is_ambiguous(column):
            continue
        between = rf"[1-9]\d{{0,2}}({re.escape(mark)}\d{{3}})+|" if mark else ""
        if _all(text, rf"^[-+]?(({between}\d+)({point}\d*)?|{point}\d+){EXPONENT}"):
            return _cast(text, mark, decimal), mark
    return column, ""


def _marks(spec: CsvSpec, decimal: str) -> list[str]:
    """Return the marks to try; the first of them is none."""
    if spec.thousands == "none":
        return [""]
    marks = THOUSANDS[:-1] if spec.thousands == "auto" else (spec.thousands,)
    return ["", *(mark for mark in marks if mark != decimal)]


def _cast(text: pa.ChunkedArray, mark: str, decimal: str) -> pa.ChunkedArray:
    if mark:
        text = pc.replace_substring(text, mark, "")
    if decimal != ".":
        text = pc.replace_substring(text, decimal, ".")
    text = pc.replace_substring_regex(text, r"^\+", "")
    if not _any(text, r"[.eE]"):
        try:
            return text.cast(pa.int64())
        except pa.ArrowInvalid:  # too large for it, as the reader of CSV files also finds
            return text.cast(pa.float64())
    return pc.replace_substring_regex(text, r"\.($|[eE])", r"\1").cast(pa.float64())


def _all(text: pa.ChunkedArray | pa.Array, pattern: str) -> bool:
    """Return whether there are values and all that are no gaps match."""
    head = text.slice(0, 100)  # a column of words is told from its first rows
    return text.null_count < len(text) and all(
        pc.all(pc.match_substring_regex(part, pattern)).as_py() is not False
        for part in (head, text)
    )


def _any(text: pa.ChunkedArray | pa.Array, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(text, pattern)).as_py())
