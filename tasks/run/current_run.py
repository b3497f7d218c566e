"""Which run a Prefect flow belongs to: the one that this process launched it for, if any."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foldproof.tasks.run.session import Run

_current: ContextVar["Run | None"] = ContextVar("foldproof_run", default=None)


def current_run() -> "Run | None":
    """Return the run that launched the current flow, or None in a deployment."""
    return _current.get()


@contextmanager
def current(run: "Run") -> Iterator["Run"]:
    """Make a run the current one."""
    token = _current.set(run)
    try:
        yield run
    finally:
        _current.reset(token)


@contextmanager
def launched(run: "Run") -> Iterator["Run"]:
    """Make a run the current one, and end its processes afterwards."""
    try:
        with current(run):
            yield run
    finally:
        run.close()
