"""The line of a terminal that says what a command does, from its first moment on.

It is there before anything that takes seconds to import, so this module imports nothing that
does. Where standard error is no terminal, there is no such line: in a file it would be noise.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

SILENT = frozenset(("--quiet", "--verbose", "--help", "-h", "--version"))
CLOCK_INTERVAL_S = 0.5  # between two updates
LONG_S = 2.0  # from which on a line says how long it has been there
LOCK_TIMEOUT_S = 1.0  # for another thread that is writing
ERASE = "\r\x1b[2K"


class StatusLine:
    """A terminal line that is overwritten in place; thread-safe."""

    def __init__(self) -> None:
        """Begin with none."""
        self._text, self._since, self._drawn = "", 0.0, ""
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None

    def show(self, text: str) -> None:
        """Show a text in place of the last one, with the seconds that it has been there."""
        if not is_terminal():
            return
        with self._locked():
            self._text, self._since = _printable(text), time.monotonic()
            self._draw()
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep, name="status", daemon=True)
                self._thread.start()

    def clear(self) -> None:
        """Take the line away."""
        with self._locked():
            self._text = ""
            self._draw()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Hide the line while something is printed, and show it again below."""
        with self._locked():
            text, self._text = self._text, ""
            self._draw()
            try:
                yield
            finally:
                self._text = text
                self._draw()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the lock, or go on without it after a timeout, so that a stop never hangs."""
        has_lock = self._lock.acquire(timeout=LOCK_TIMEOUT_S)
        try:
            yield
        finally:
            if has_lock:
                self._lock.release()

    def _draw(self) -> None:
        seconds = time.monotonic() - self._since
        text = f"{self._text}  {seconds:.0f} s" if self._text and seconds > LONG_S else self._text
        if text != self._drawn:
            self._drawn = text
            with contextlib.suppress(OSError, ValueError):  # a terminal that has gone
                sys.stderr.write(f"{ERASE}{text[: _width()]}")
                sys.stderr.flush()

    def _keep(self) -> None:
        while True:
            time.sleep(CLOCK_INTERVAL_S)
            with self._locked():
                if self._text:
                    self._draw()


line = StatusLine()  # one a process, as there is one terminal


def greet(arguments: Sequence[str], text: str = "reading the settings") -> None:
    """Show at once that a command has started, unless its flags ask for silence."""
    if not SILENT & set(arguments):
        line.show(text)


def is_terminal() -> bool:
    """Tell whether standard error is a terminal that can write over a line."""
    return _is_tty(sys.stderr) and os.environ.get("TERM") != "dumb"


def results_in_terminal() -> bool:
    """Tell whether what is printed as a result stands below that line, in a terminal."""
    return is_terminal() and _is_tty(sys.stdout)


def _is_tty(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False


def _width() -> int:
    """Return how many characters a line may have and not begin another."""
    try:
        return max(20, os.get_terminal_size(sys.stderr.fileno()).columns - 1)
    except (OSError, ValueError):
        return 79


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
