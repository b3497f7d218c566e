"""The output of a fold: captured in a file by the worker, read by the flow's process.

Everything that is written to standard output and standard error while a fold trains is
the fold's: prints and warnings of the user's code, and what libraries say in C++. A file,
unlike a pipe, needs no reader that keeps up, and outlives a worker that is killed.
"""

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "output"  # in the run's scratch folder; nothing is captured unless it exists
MAX_LINE_CHARS = 2000  # longer lines are cut
MAX_LINES = 200  # of a fold; further ones are only counted
CHUNK_BYTES = 1 << 20  # read at a time


def output_path(scratch: Path, key: str, attempt: int) -> Path:
    """Return the output file of one attempt at a fold."""
    return scratch / FOLDER / f"{key}-{attempt}"


@contextmanager
def captured_output(path: Path) -> Iterator[None]:
    """Redirect standard output and error of this process to a file; remove it if it stays empty.

    Args:
        path: the file. Where its folder does not exist, output stays where it was.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    except OSError:
        yield
        return
    before = [_redirect(number, handle) for number in (1, 2)]
    try:
        # Else a warning would be shown for the first fold of a process only.
        with warnings.catch_warnings():
            yield
    finally:
        for number, earlier in zip((1, 2), before, strict=True):
            _redirect(number, earlier, keep=False)
            os.close(earlier)
        if os.fstat(handle).st_size == 0:
            with contextlib.suppress(OSError):
                path.unlink()
        os.close(handle)


class OutputReader:
    """Reads a fold's output incrementally, in whole lines, up to a maximum number."""

    def __init__(self, path: Path, most: int | None = MAX_LINES) -> None:
        """Begin at the start of a file that need not exist yet.

        Args:
            path: the file.
            most: lines to show, or None for all.
        """
        self._path, self._most = path, most
        self._offset = self._shown = self._left_out = 0

    def lines(self, ended: bool) -> list[str]:
        """Return the lines added since the last call; finally also how many were left out."""
        shown: list[str] = []
        while piece := self._read_lines(ended):
            shown += self._limit(piece)
        if ended and self._left_out:
            shown.append(f"... {self._left_out} more lines")
            self._left_out = 0
        return shown

    def _read_lines(self, ended: bool) -> bytes:
        """Read the next chunk up to its last newline, or all of it at the end of the output."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                piece = file.read(CHUNK_BYTES)
        except OSError:
            return b""
        whole = piece.rfind(b"\n") + 1
        if not (ended or len(piece) == CHUNK_BYTES) or (whole and len(piece) == CHUNK_BYTES):
            piece = piece[:whole]
        self._offset += len(piece)
        return piece

    def _limit(self, piece: bytes) -> list[str]:
        lines = [line.rstrip() for line in piece.decode(errors="replace").split("\n")]
        # A progress bar writes over its line: only its last state is worth a line.
        lines = [line.rpartition("\r")[2][:MAX_LINE_CHARS] for line in lines if line]
        room = len(lines) if self._most is None else max(0, self._most - self._shown)
        self._shown += len(lines[:room])
        self._left_out += len(lines[room:])
        return lines[:room]


def _redirect(number: int, handle: int, keep: bool = True) -> int:
    """Redirect a standard stream to a file; return a handle of its previous target."""
    stream = sys.stdout if number == 1 else sys.stderr
    with contextlib.suppress(Exception):  # there may be none, or the user's own
        stream.flush()
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    before = os.dup(number) if keep else -1
    os.dup2(handle, number)
    return before
