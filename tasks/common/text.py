"""How values and errors are written in one line for people."""

import difflib
from collections.abc import Iterable

MOST = 800  # characters of a message

MOST_NAMES = 30  # listed in a hint


def nearest(given: str, names: Iterable[str]) -> str:
    """Suggest the valid name nearest to the given one, or list them all."""
    names = list(names)
    close = difflib.get_close_matches(given, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {printable(close[0])}? "
    more = ", ..." if len(names) > MOST_NAMES else ""
    return f"use one of {', '.join(map(printable, names[:MOST_NAMES]))}{more} "


def printable(name: int | str) -> str:
    """Return a name as it is, or quoted where a reader would not see all of it."""
    text = str(name)
    return text if text and text.isprintable() and text == text.strip() else repr(text)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def error_line(error: BaseException) -> str:
    """Name an error and its message in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def one_line(text: str) -> str:
    """Return a text as one line that any terminal can show, its middle left out if it is long."""
    words = " ".join(text.split())
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in words)
    return line if len(line) <= MOST else f"{line[: MOST - 205]} ... {line[-200:]}"


def number(value: float | None) -> str:
    """Write a value for people; nothing where there is none."""
    return "" if value is None else f"{value:.4f}" if abs(value) < 1000 else f"{value:.6g}"
