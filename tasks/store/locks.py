"""File locks: one run at a time trains a fold, others on the same store wait for it.

The lock is the kernel's (flock), so that a dead owner holds nothing. Where a file system has
no locks, a fold may be trained twice, which costs time and changes nothing.
"""

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foldproof.tasks.common.errors import Interrupted

RETRY_INTERVAL_S = 0.05  # between two attempts to take a lock


@contextmanager
def fold_lock(store: Path, stopped: threading.Event) -> Iterator[bool]:
    """Hold the lock of a fold or a report.

    Args:
        store: the file or folder that it becomes once it is finished.
        stopped: ends the waiting.

    Yields:
        Whether it is held; not where the file system has no locks.

    Raises:
        Interrupted: the run was stopped while it waited.
    """
    path = store.with_name(f".{store.stem}.lock")
    handle = _acquire(path, stopped)
    try:
        yield handle is not None
    finally:
        if handle is not None:
            with contextlib.suppress(OSError):
                path.unlink()
            os.close(handle)


def _acquire(path: Path, stopped: threading.Event) -> int | None:
    """Wait for the lock; return a handle that holds it, or None where there are no locks."""
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            if stopped.is_set():
                raise Interrupted("the run was stopped") from None
            time.sleep(RETRY_INTERVAL_S)
            continue
        except OSError:
            with contextlib.suppress(OSError):
                path.unlink()
            os.close(handle)
            return None
        if _is_at(path, handle):
            return handle
        os.close(handle)  # its last owner removed it meanwhile


def _is_at(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
