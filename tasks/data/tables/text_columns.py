"""Find columns of text that were meant as numbers: one wrong word would make them categories."""

import contextlib

import pyarrow as pa
import pyarrow.compute as pc

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.data.sources.csv_format.numerals import is_ambiguous, writes_commas

PLAIN = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$|^\s*[-+]?(?i:inf|infinity|nan)\s*$"
AROUND = r"^\W*\d+([.,]\d+)*\s*[^\d\s[:cntrl:]]{0,4}\s*$"  # 12%, 5 kg, $5, <0.1
DAY = r"(\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{4})"
DATE = rf"^\s*{DAY}(\D.*)?$"
CLOCK = r"[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?"
ISO_DATE = rf"^\d{{4}}-\d{{2}}-\d{{2}}({CLOCK})?$"
NO_DATE = r"^0000|^\d{4}-00|^\d{4}-\d{2}-00"  # as some databases write an unknown one
MAX_WRONG_WORDS = 5  # different ones among numbers, as marks of a missing value are
MAX_CODES = 10  # different texts, such as 1st, 2nd and 3rd, are categories whatever they look like
MAX_SHOWN_CHARS = 40  # characters of a value


def refuse_mistyped(table: pa.Table) -> None:
    """Refuse a column of text that was probably meant as one of numbers.

    Raises:
        InputError: with what is wrong about it.
    """
    for name in table.column_names:
        if problem := _of_column(name, table[name]):
            raise InputError("data.features", problem)


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return a column of text of any kind as plain text, or None where it holds something else."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return column.cast(pa.string()) if any(is_kind(column.type) for is_kind in kinds) else None


def _of_column(name: str, column: pa.ChunkedArray) -> str:
    """Return what is wrong with a column that could have been one of numbers, else nothing."""
    text = None if pa.types.is_dictionary(column.type) else as_text(column)
    if text is None or text.null_count == len(text):
        return ""
    text = text.drop_null()
    if problem := _of_dates(name, text):
        return problem
    if is_ambiguous(text):
        problem = f"column {name!r}: {_shown(text[0])} may have a decimal comma or not"
        return f"{problem}; set data.csv.decimal to , or data.csv.thousands to ,"
    if writes_commas(text):
        return f"column {name!r}: {_shown(text[0])} has a decimal comma; set data.csv.decimal to ,"
    wrong = text.filter(pc.invert(pc.match_substring_regex(text, PLAIN)))
    few = len(pc.unique(text)) <= MAX_CODES
    if not len(wrong):
        problem = f"column {name!r} holds numbers as text, such as {_shown(text[0])}"
        return "" if few else f"{problem}; store numbers, or categories"
    if not few and pc.all(pc.match_substring_regex(wrong, AROUND)).as_py():
        problem = f"column {name!r} holds more than numbers, such as {_shown(wrong[0])}"
        return f"{problem}; write the numbers alone, or drop it (data.drop)"
    if 2 * len(wrong) > len(text) or len(pc.unique(wrong)) > MAX_WRONG_WORDS:
        return ""  # words are the rule, or of many kinds: it is a column of text
    count = f"{len(wrong)} of {len(column)} values are text, such as {_shown(wrong[0])}"
    remedy = "if that is a missing value, add it to data.csv.missing, else correct or drop it"
    return f"column {name!r}: {count}; {remedy}"


def _of_dates(name: str, text: pa.ChunkedArray) -> str:
    """Return what is wrong with a column of dates that no reader took for that, else nothing."""
    looks = pc.match_substring_regex(text, DATE)
    if 2 * (pc.sum(looks).as_py() or 0) <= len(text):
        return ""
    other = text.filter(pc.invert(pc.match_substring_regex(text, ISO_DATE)))
    if not len(other):
        other = text.filter(pc.match_substring_regex(text, NO_DATE))
    if not len(other):
        return ""
    problem = f"column {name!r} holds dates, but {_shown(other[0])} is not written as 2024-01-31"
    return f"{problem}; write all so, and leave unknown ones empty"


def with_dates(table: pa.Table) -> pa.Table:
    """Return a table whose texts that all are dates, as 2024-01-31 or with a time, are dates."""
    for place, field in enumerate(table.schema):
        column = table.column(place)
        text = None if pa.types.is_dictionary(field.type) else as_text(column)
        if text is None or text.null_count == len(text):
            continue
        if pc.all(pc.match_substring_regex(text.drop_null(), ISO_DATE)).as_py():
            table = table.set_column(place, field.name, _dates(text))
    return table


def _dates(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts as dates, with a zone if they have one; texts where one is no date."""
    for kind in (pa.timestamp("us"), pa.timestamp("us", tz="UTC")):
        with contextlib.suppress(pa.ArrowException):  # such as the 30th of February
            return text.cast(kind)
    return text


def _shown(value: pa.Scalar) -> str:
    text = str(value.as_py())
    return repr(text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}...")
