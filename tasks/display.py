"""What a person sees while the folds train: a live view in a terminal, else plain lines."""

import logging
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

from tasks.debug_log import show_debug_log
from tasks.jobs import FoldRecord
from tasks.progress_file import look

Verbosity = Literal["quiet", "normal", "verbose"]

LOG = logging.getLogger(__name__)
REFRESH = 0.25  # seconds between looks at the workers' progress
MOST_LINES = 50  # plain lines for a run; more folds are reported in steps


class Watched(Protocol):
    """A slot as the display sees it."""

    name: str
    progress_path: Path


class Display:
    """Progress on standard error; results and paths go to standard output, elsewhere."""

    def __init__(self, verbosity: Verbosity = "normal") -> None:
        """Choose the view; nothing is shown before `start`."""
        self.quiet, self.verbose = verbosity == "quiet", verbosity == "verbose"
        if self.verbose:
            show_debug_log()
        self._live: Any = None
        self._slots: Sequence[Watched] = ()
        self._total = self._done = self._cached = self._failed = 0
        self._began = time.monotonic()
        self._over = threading.Event()
        self._lock = threading.Lock()

    def watch(self, slots: Sequence[Watched]) -> None:
        """Learn which slots to look at."""
        self._slots = slots

    def say(self, text: str) -> None:
        """Show a line, unless quiet."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def detail(self, text: str) -> None:
        """Show what is only for the curious."""
        if self.verbose and text:
            print(text, file=sys.stderr, flush=True)

    def start(self, total: int) -> None:
        """Begin to show progress over a number of folds."""
        self._total, self._began = total, time.monotonic()
        if self.quiet or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True)
        self._live = Live(self._view(), console=console, auto_refresh=False, transient=True)
        self._live.start()
        threading.Thread(target=self._keep_fresh, name="display", daemon=True).start()

    def fold_done(self, record: FoldRecord) -> None:
        """Count a fold, and say so in plain lines where there is no live view."""
        with self._lock:
            self._done += 1
            self._cached += record.cached
            self._failed += record.error is not None
            step = max(1, self._total // MOST_LINES)
            is_last = self._done == self._total
            if self._live is None and (record.error or is_last or self._done % step == 0):
                self.say(self._line(record))

    def stop(self) -> None:
        """Take the live view away."""
        self._over.set()
        with self._lock:
            if self._live is not None:
                self._live.stop()
                self._live = None

    def _line(self, record: FoldRecord) -> str:
        place = f"fold {record.repeat}/{record.fold}"
        what = "failed" if record.error else "from the store" if record.cached else "done"
        where = "" if record.cached else f" on {record.slot}"
        return f"{self._done} of {self._total}: {place} {what}{where}{self._time_left(', ')}"

    def _time_left(self, before: str = "") -> str:
        trained = self._done - self._cached
        left = self._total - self._done
        if not trained or not left:
            return ""
        seconds = (time.monotonic() - self._began) / trained * left
        return f"{before}about {_duration(seconds)} left"

    def _keep_fresh(self) -> None:
        while not self._over.wait(REFRESH):
            try:
                with self._lock:
                    if self._live is not None:
                        self._live.update(self._view(), refresh=True)
            except Exception:  # a view must not end a run
                LOG.debug("the live view failed", exc_info=True)

    def _view(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        head = Table.grid(padding=(0, 1))
        counts = f"{self._done} of {self._total} folds"
        counts += f", {self._cached} from the store" if self._cached else ""
        failed = Text(f"{self._failed} failed" if self._failed else "", style="bold red")
        bar = ProgressBar(total=max(1, self._total), completed=self._done, width=30)
        head.add_row(bar, counts, failed, Text(self._time_left(), style="dim"))
        return Group(head, *(Text(line, style="dim") for line in self._workers()))

    def _workers(self) -> list[str]:
        lines = []
        for slot in self._slots:
            seen = look(slot.progress_path)
            if seen is not None:
                loss = "" if seen.loss != seen.loss else f"  loss {seen.loss:.4f}"
                place = f"fold {seen.repeat}/{seen.fold}"
                lines.append(f"  {slot.name}  {place}  epoch {seen.epoch}/{seen.epochs}{loss}")
        return lines


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
