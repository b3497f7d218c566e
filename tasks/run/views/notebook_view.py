"""The view of a run in a notebook: one output with a bar, which is written over.

Plain lines on standard error would be a red block each.
"""

import contextvars
import sys
from collections.abc import Sequence
from html import escape
from importlib import import_module
from typing import Any

from foldproof.tasks.run.views.fold_progress import FoldProgress

OUTER = "width:22em;max-width:100%;height:.8em;background:#dde3ea;border-radius:.3em"
INNER = "height:.8em;background:#2b6cb0;border-radius:.3em"
QUIET = "color:#5a6876;font-size:.9em"


def in_notebook() -> bool:
    """Tell whether this process is the kernel of a notebook; nothing is imported to find out."""
    found: Any = sys.modules.get("IPython")
    shell = None if found is None else found.get_ipython()
    return hasattr(shell, "kernel")


class NotebookView:
    """The live output of a notebook cell; its users take turns by a lock."""

    def __init__(self) -> None:
        """Begin with nothing shown."""
        self._handle: Any = None
        self._lines: list[str] = []
        self._status, self._bar, self._shown = "", "", ""
        self._context = contextvars.copy_context()  # of the cell, which other threads are not in

    def say(self, text: str) -> None:
        """Show a line that stays."""
        self._lines.append(text)
        self._draw()

    def status(self, text: str) -> None:
        """Show the current step in place of the last one."""
        self._status = text
        self._draw()

    def show(self, progress: FoldProgress, counts: str, clock: str, workers: Sequence[str]) -> None:
        """Show how far the folds are.

        Args:
            progress: of all folds.
            counts: how many are done, in words.
            clock: the time gone and left.
            workers: a line on each fold that is under way.
        """
        percent = f"{100 * progress.share():.0f}"
        failed = (
            f', <b style="color:#c0392b">{progress.failed} failed</b>' if progress.failed else ""
        )
        done = f'<div style="{INNER};width:{percent}%"></div>'
        words = f"{percent} %, {escape(counts)}{failed}; {escape(clock)}"
        self._bar = f'<div style="{OUTER}" role="progressbar">{done}</div><div>{words}</div>'
        self._bar += _quiet(workers)
        self._draw()

    def finish(self) -> None:
        """Remove the bar."""
        self._status = ""
        self._draw()

    def _draw(self) -> None:
        """Show all of it, if there is anything new."""
        markup = _quiet(self._lines) + self._bar + _quiet([self._status] if self._status else [])
        if markup != self._shown:
            self._shown = markup
            self._context.copy().run(self._put, f"<div>{markup}</div>")

    def _put(self, markup: str) -> None:
        notebook: Any = import_module("IPython.display")
        if self._handle is None:
            self._handle = notebook.display(notebook.HTML(markup), display_id=True)
        else:
            self._handle.update(notebook.HTML(markup))


def _quiet(lines: Sequence[str]) -> str:
    return "".join(f'<div style="{QUIET}">{escape(line)}</div>' for line in lines)
