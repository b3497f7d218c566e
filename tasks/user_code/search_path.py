"""The folders where the user's modules are looked for, here and in workers."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_start: ContextVar[Path | None] = ContextVar("foldproof_start", default=None)


def extend_path(search: tuple[str, ...]) -> None:
    """Look for the user's modules where the flow's process would; ours are loaded already."""
    sys.path[:] = [*search, *(folder for folder in sys.path if folder not in search)]


def here() -> tuple[str, ...]:
    """Return the folders where this process finds modules, that where it starts first."""
    first = str(start_folder())
    return (first, *(folder for folder in sys.path if folder and folder != os.getcwd()))


def start_folder() -> Path:
    """Return the folder where modules are looked for first and workers start."""
    return _start.get() or Path.cwd()


@contextmanager
def starting_in(folder: Path) -> Iterator[None]:
    """Take another folder than the working directory for that."""
    token = _start.set(folder)
    try:
        yield
    finally:
        _start.reset(token)
