"""Remove the temporary files that killed processes left in the store."""

import contextlib
import glob
import socket
import time
from pathlib import Path

from foldproof.tasks.store.atomic_folders import left_behind
from foldproof.tasks.store.scratch import ABANDONED_AFTER_S


def remove_drafts(folds: Path) -> None:
    """Remove what killed processes had begun to write into a folder of folds.

    Whoever trains a fold holds its lock. One that another machine holds may not be seen here, so
    what that has begun stays until it cannot be under way any more.
    """
    for fold in left_behind(folds):
        for draft in folds.glob(f".{glob.escape(fold.name)}.*.part"):
            host = draft.stem.removeprefix(f".{fold.name}.").rpartition("-")[0]
            with contextlib.suppress(OSError):
                if host == socket.gethostname() or _is_forgotten(draft):
                    draft.unlink()


def _is_forgotten(draft: Path) -> bool:
    return time.time() - draft.stat().st_mtime > ABANDONED_AFTER_S
