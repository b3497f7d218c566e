"""How values and errors are written in one line for people."""

import difflib
from collections.abc import Iterable, Sequence

MAX_MESSAGE_CHARS = 800  # characters of a message

MAX_NAMES = 30  # listed in a hint


def nearest(given: str, names: Iterable[str]) -> str:
    """Suggest the valid name nearest to the given one, or list them all."""
    names = list(names)
    close = difflib.get_close_matches(given, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {printable(close[0])}? "
    return f"use one of {some_of(list(map(printable, names)), MAX_NAMES)} "


def some_of(words: Sequence[str], most: int) -> str:
    """List the first words, with dots where there are more."""
    return ", ".join(words[:most]) + (", ..." if len(words) > most else "")


def some_and_count(words: Sequence[str], most: int) -> str:
    """List the first words, and count the others."""
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more} more" if more > 0 else "")


def shortened(text: str, most: int) -> str:
    """Cut a text off, with dots at its end, where it is longer than some characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def printable(name: int | str) -> str:
    """Write a name as it is, or in quotes where one could not see what it is."""
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
    return (
        line
        if len(line) <= MAX_MESSAGE_CHARS
        else f"{line[: MAX_MESSAGE_CHARS - 205]} ... {line[-200:]}"
    )


def number(value: float | None) -> str:
    """Write a value for people; nothing where there is none."""
    return "" if value is None else f"{value:.4f}" if abs(value) < 1000 else f"{value:.6g}"
