"""What a person sees of a run: a live view in a terminal or notebook, else a few plain lines."""

import logging
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any, Literal

from foldproof.tasks.common.process.debug_log import show_debug_log
from foldproof.tasks.folds.job import FoldRecord
from foldproof.tasks.run.protocols import WatchedSlot
from foldproof.tasks.run.views.fold_progress import FoldProgress, times
from foldproof.tasks.run.views.notebook_view import NotebookView, in_notebook
from foldproof.tasks.run.views.status_line import is_terminal, line, results_in_terminal

Verbosity = Literal["quiet", "normal", "verbose"]

LOG = logging.getLogger(__name__)
REFRESH_INTERVAL_S = 0.25  # between two reads of the workers' progress
MAX_LINES = 50  # plain lines for a run; more folds are reported in steps
SILENCE_LIMIT_S = 60.0  # without a plain line, after which there is one


class Display:
    """Progress on standard error; results and paths go to standard output, elsewhere."""

    def __init__(self, verbosity: Verbosity = "normal", prints_result: bool = False) -> None:
        """Choose the view; folds are not shown before `start`.

        Args:
            verbosity: how much to show.
            prints_result: the result is printed in the end, which names the positive label.
        """
        self._prints_result, self._warnings = prints_result, list[str]()
        self.quiet, self.verbose = verbosity == "quiet", verbosity == "verbose"
        if self.verbose:
            show_debug_log()
        self._live: Any = None
        self._status = ""
        self._held: list[str] = []
        self._slots: Sequence[WatchedSlot] = ()
        self._progress: FoldProgress | None = None
        self._said_at = time.monotonic()
        self._over = threading.Event()
        self._lock = threading.RLock()
        shown = verbosity == "normal" and in_notebook()
        self._notebook = NotebookView() if shown else None

    def watch(self, slots: Sequence[WatchedSlot]) -> None:
        """Set the slots whose progress is shown."""
        self._slots = slots
        if self._progress is not None:
            self._progress.watch(slots)

    def status(self, text: str) -> None:
        """Show the current step; in a terminal it replaces the last one."""
        if self._notebook is not None:
            with self._lock:
                self._notebook.status(text)
        if self.quiet or not is_terminal():
            return
        if self.verbose:
            self.say(text)
        elif self._live is not None:
            self._status = text
        else:
            line.show(text)

    def say(self, text: str) -> None:
        """Show a line that stays, unless quiet."""
        if self._notebook is not None:
            with self._lock:
                self._notebook.say(text)
        elif not self.quiet:
            with line.aside():
                print(text, file=sys.stderr, flush=True)
            self._said_at = time.monotonic()

    def tell(self, text: str) -> None:
        """Show a line about the input: at once in a terminal, else once all input is valid.

        What is wrong about the input is then the only line there is.
        """
        if is_terminal() or self._notebook is not None:
            self.say(text)
        else:
            self._held.append(text)

    def warn(self, text: str) -> None:
        """Show a warning, unless the result in the same terminal will begin with it."""
        if self._prints_result and results_in_terminal():
            self._warnings.append(text)
        else:
            self.tell(text)

    def release(self) -> None:
        """Show the held-back lines: the input is valid."""
        for text in self._held:
            self.say(text)
        self._held.clear()

    def detail(self, text: str) -> None:
        """Show a line with --verbose only."""
        if self.verbose and text:
            self.say(text)

    def step(self, text: str) -> None:
        """Show progress of a long step: a status, or a lasting line with --verbose."""
        if self.verbose:
            self.detail(text)
        else:
            self.status(text)

    def start(self, total: int) -> None:
        """Begin to show progress over a number of folds."""
        line.clear()
        self.release()
        self._progress = FoldProgress(total, self._slots)
        if self.quiet:
            return
        if is_terminal():
            self._start_live()
        threading.Thread(target=self._keep_fresh, name="display", daemon=True).start()

    def _start_live(self) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True)
        self._live = Live(self._view(), console=console, auto_refresh=False, transient=True)
        self._live.start()

    def fold_done(self, record: FoldRecord) -> None:
        """Count a fold, and say so in plain lines where there is no live view."""
        with self._lock:
            progress = self._progress = self._progress or FoldProgress(1, self._slots)
            progress.add(record)
            step = max(1, progress.total // MAX_LINES)
            is_last = progress.done == progress.total
            if self._notebook is not None:
                self._show_in_notebook(progress)
            elif self._live is None and (record.error or is_last or progress.done % step == 0):
                self.say(_of_fold(progress, record))

    def stop(self) -> None:
        """Remove the live display."""
        self._over.set()
        with self._lock:
            if self._live is not None:
                self._live.stop()
                self._live = None
            if self._notebook is not None:
                self._notebook.finish()
        line.clear()

    def _keep_fresh(self) -> None:
        while not self._over.wait(REFRESH_INTERVAL_S):
            try:
                with self._lock:
                    self._refresh()
            except Exception:  # a view must not end a run
                LOG.debug("the live view failed", exc_info=True)

    def _refresh(self) -> None:
        progress = self._progress
        if progress is None or self._over.is_set():
            return
        if self._live is not None:
            self._live.update(self._view(), refresh=True)
        elif self._notebook is not None:
            self._show_in_notebook(progress)
        elif time.monotonic() - self._said_at > max(SILENCE_LIMIT_S, progress.gone() / 5):
            self.say(f"{_counts(progress)}, {_percent(progress)}; {times(progress)}")

    def _show_in_notebook(self, progress: FoldProgress) -> None:
        assert self._notebook is not None
        is_over = progress.done == progress.total
        seen = [] if is_over else progress.under_way()
        workers = [_of_worker(name, each).strip() for name, each in seen]
        self._notebook.show(progress, _counted(progress), times(progress), workers)

    def _view(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        assert self._progress is not None  # `start` made it
        progress = self._progress
        head = Table.grid(padding=(0, 1))
        counts = _counted(progress)
        failed = Text(f"{progress.failed} failed" if progress.failed else "", style="bold red")
        bar = ProgressBar(total=1.0, completed=progress.share(), width=30)
        clock = Text(times(progress), style="dim")
        head.add_row(bar, _percent(progress), counts, failed, clock)
        workers = [_of_worker(name, seen) for name, seen in progress.under_way()]
        lines = [*workers, *([f"  {self._status}"] if self._status else [])]
        warnings = [Text(text, style="yellow") for text in self._warnings]
        return Group(*warnings, head, *(Text(text, style="dim") for text in lines))


def _counts(progress: FoldProgress) -> str:
    return f"{progress.done} of {progress.total} folds"


def _counted(progress: FoldProgress) -> str:
    """Return how many folds are done, and how many of them were there already."""
    stored = f", {progress.cached} from the store" if progress.cached else ""
    return _counts(progress) + stored


def _percent(progress: FoldProgress) -> str:
    return f"{100 * progress.share():.0f} %"


def _of_fold(progress: FoldProgress, record: FoldRecord) -> str:
    place = f"fold {record.repeat}/{record.fold}"
    what = "failed" if record.error else "from the store" if record.cached else "done"
    where = "" if record.cached else f" on {record.slot}"
    clock = "" if progress.done == progress.cached else f", {times(progress)}"
    return f"{progress.done} of {progress.total}: {place} {what}{where}{clock}"


def _of_worker(name: str, seen: Any) -> str:
    loss = "" if seen.loss != seen.loss else f"  loss {seen.loss:.4f}"
    return f"  {name}  fold {seen.repeat}/{seen.fold}  epoch {seen.epoch}/{seen.epochs}{loss}"
