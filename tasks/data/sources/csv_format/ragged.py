"""Explain rows of a CSV file with too few or too many columns, with a remedy."""

import re

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.data.sources.csv_format.dialect import Dialect

RAGGED = re.compile(r"Expected (\d+) columns, got (\d+): (.*)", re.DOTALL)
MARKS = re.compile(r"\s*([#%!;*]|//|--)")  # that comments begin with, here or there
MAX_SHOWN_CHARS = 40  # of a row in a message


def refuse_ragged(error: str, sample: bytes, dialect: Dialect, name: str) -> None:
    """Refuse a row of another length than the header, and say what may be wrong about it.

    Args:
        error: what pyarrow says of it.
        sample: the file's first bytes.
        dialect: how it is written.
        name: of the file, for people.

    Raises:
        InputError: the error is about such a row.
    """
    if (found := RAGGED.search(error)) is None:
        return
    expected, got, row = int(found[1]), int(found[2]), found[3]
    first, second = _first_lines(sample, dialect)
    if dialect.header and row == second:
        remedy = (
            f"if the first line, {_short(first)!r}, is no header, remove it, or set "
            "data.csv.comment to what it begins with"
        )
    elif mark := MARKS.match(row):
        remedy = f"if that is a comment, set data.csv.comment to {mark[1]!r}"
    elif row.count('"') % 2:
        remedy = "close the quote in it"
    elif got < expected:
        remedy = "complete or remove that row, or set data.csv.delimiter"
    else:
        remedy = f"quote what holds a {dialect.delimiter!r}, or set data.csv.delimiter"
    what = f"Expected {expected} columns, got {got}, in {_short(row)!r}"
    raise InputError("data.source", f"cannot read {name}: {what}; {remedy}") from None


def _first_lines(sample: bytes, dialect: Dialect) -> tuple[str, str]:
    """Return the header's last line, and the one below."""
    text = sample.decode(dialect.encoding, "replace").removeprefix("\ufeff")
    header, *below = text.splitlines()[dialect.skip + dialect.header_lines - 1 :] or [""]
    return header, next(filter(str.strip, below), "")


def _short(row: str) -> str:
    return row if len(row) <= MAX_SHOWN_CHARS else f"{row[:MAX_SHOWN_CHARS]}..."
