"""The levels of agreement between a refitted fold and its report."""

from typing import Literal

from foldproof.tasks.common.errors import InputError

Level = Literal["bit", "numeric", "statistical"]


def check_level(level: str) -> Level:
    """Return a level of the command line.

    Raises:
        InputError: there is none of that name.
    """
    levels: dict[str, Level] = {"bit": "bit", "numeric": "numeric", "statistical": "statistical"}
    if level not in levels:
        raise InputError("--level", f"{level!r} is none; use {', '.join(levels)}")
    return levels[level]
