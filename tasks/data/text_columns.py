"""Explain feature columns that hold text instead of numbers, with a remedy."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from foldproof.tasks.common.text import some_of
from foldproof.tasks.data.sources.csv_format.numerals import is_ambiguous, writes_commas

PLAIN = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$|^\s*[-+]?(?i:inf|infinity|nan)\s*$"
AROUND = r"^\W*\d+([.,]\d+)*\s*[^\d\s[:cntrl:]]{0,4}\s*$"  # 12%, 5 kg, $5, <0.1
MAX_SHOWN_CHARS = 40  # characters of a value


def explain_text(table: pa.Table, names: Sequence[str]) -> str:
    """Return the problem and its remedy: of a column with some numbers, else of all.

    Args:
        table: the features.
        names: of the columns that hold no numbers.
    """
    for name in names:
        if problem := _of_column(name, table[name]):
            return problem
    some = some_of([repr(name) for name in names], 5)
    dates = [name for name in names if pa.types.is_temporal(table.schema.field(name).type)]
    if dates == list(names):
        remedy = "write them as numbers or drop them (data.drop)"
        return f"not numbers: {some}; these are dates or times: {remedy}"
    return f"not numbers: {some}; encode or drop them (data.drop)"


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return a column of text of any kind as plain text, or None where it holds something else."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kinds = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return column.cast(pa.string()) if any(is_kind(column.type) for is_kind in kinds) else None


def _of_column(name: str, column: pa.ChunkedArray) -> str:
    """Return what is wrong with a column that could have been one of numbers, else nothing."""
    text = as_text(column)
    if text is None:
        return ""
    text = text.drop_null()
    if is_ambiguous(text):
        problem = f"column {name!r}: {_shown(text[0])} may have a decimal comma or not"
        return f"{problem}; set data.csv.decimal to , or data.csv.thousands to ,"
    if writes_commas(text):
        return f"column {name!r}: {_shown(text[0])} has a decimal comma; set data.csv.decimal to ,"
    wrong = text.filter(pc.invert(pc.match_substring_regex(text, PLAIN)))
    if not len(wrong):
        return f"column {name!r} holds numbers as text, such as {_shown(text[0])}; store numbers"
    if pc.all(pc.match_substring_regex(wrong, AROUND)).as_py():
        problem = f"column {name!r} holds more than numbers, such as {_shown(wrong[0])}"
        return f"{problem}; write the numbers alone, or encode or drop it (data.drop)"
    if 2 * len(wrong) > len(text):
        return ""
    count = f"{len(wrong)} of {len(column)} values are text, such as {_shown(wrong[0])}"
    return f"column {name!r}: {count}; correct or remove those rows, or drop it (data.drop)"


def _shown(value: pa.Scalar) -> str:
    text = str(value.as_py())
    return repr(text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}...")
