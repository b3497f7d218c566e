"""Escape text from data, errors and paths for Markdown, so that it is never read as markup."""

import re

from foldproof.tasks.common.text import one_line

PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")  # all of it that ASCII has


def escape(text: str) -> str:
    """Return a text for the middle of a Markdown line, such as the cell of a table.

    CommonMark lets a backslash stand before any ASCII punctuation, which then means nothing:
    no tag, no entity, no link, no code, no column of a table. Line breaks become spaces.
    """
    return PUNCTUATION.sub(r"\\\1", one_line(text))
