"""The folders on the module search path of the user's code, here and in workers."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

_start: ContextVar[Path | None] = ContextVar("foldproof_start", default=None)


def extend_path(search: tuple[str, ...]) -> None:
    """Extend this process's module search path by that of the flow's process."""
    sys.path[:] = [*search, *(folder for folder in sys.path if folder not in search)]


def import_folders() -> tuple[str, ...]:
    """Return the folders of this process's module search path, its start folder first."""
    first = str(start_folder())
    return (first, *(folder for folder in sys.path if folder and folder != os.getcwd()))


def start_folder() -> Path:
    """Return the folder that is searched for modules first, and where workers start."""
    return _start.get() or Path.cwd()


@contextmanager
def starting_in(folder: Path) -> Iterator[None]:
    """Use another start folder than the working directory, within the block."""
    token = _start.set(folder)
    try:
        yield
    finally:
        _start.reset(token)
