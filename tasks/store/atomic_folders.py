"""Folders of results: there whole or not at all, and the earlier one until then.

A draft is written beside its place as `.NAME.HOST-PID.part`; while it takes the place, the
earlier folder is `.NAME.HOST-PID.old`. Whoever holds the lock of a name may mend what a killed
process left of it.
"""

import contextlib
import glob
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from foldproof.tasks.common.errors import Interrupted
from foldproof.tasks.store.locks import fold_lock

Stays = Callable[[Path, Path], bool]


def write_whole(
    final: Path, fill: Callable[[Path], None], stays: Stays = lambda draft, final: False
) -> None:
    """Fill a temporary folder and rename it into its place.

    Args:
        final: its place.
        fill: writes all files into the folder that it is given.
        stays: given the finished draft and the folder that is there, tells whether that stays.

    Raises:
        OSError: it cannot be written; an earlier folder is where it was.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    mend(final.parent)
    with fold_lock(final, threading.Event()):
        draft = final.with_name(f".{final.name}.{socket.gethostname()}-{os.getpid()}.part")
        _remove(draft)
        draft.mkdir()
        try:
            fill(draft)
            if not (final.exists() and stays(draft, final)):
                _put_in_place(draft, final, stays)
        finally:
            _remove(draft)


def mend(parent: Path) -> None:
    """Finish what killed processes left undone in a folder of folders.

    What was there before a process died comes back if nothing took its place; drafts and what
    was replaced are removed. Whatever a living process works on is left alone.
    """
    for final in left_behind(parent):
        _mend(final)


def left_behind(parent: Path) -> Iterator[Path]:
    """Yield the places in a folder at which processes died; the lock of each is held meanwhile."""
    at_once = threading.Event()
    at_once.set()
    hidden = (path.name.split(".") for path in parent.glob(".*.*"))
    for name in {parts[1] for parts in hidden if parts[-1] in ("part", "old", "lock")}:
        with contextlib.suppress(Interrupted), fold_lock(parent / name, at_once) as is_ours:
            if is_ours:
                yield parent / name


def _mend(final: Path) -> None:
    earlier, drafts = (
        final.parent.glob(f".{glob.escape(final.name)}.*.{ending}") for ending in ("old", "part")
    )
    with contextlib.suppress(OSError):
        replaced = sorted(earlier, key=lambda path: path.stat().st_mtime_ns)
        if replaced and not final.exists():
            replaced.pop().rename(final)
        for left in (*replaced, *drafts):
            _remove(left)


def _put_in_place(draft: Path, final: Path, stays: Stays) -> None:
    """Rename a draft to its final name; the folder that was there is given up after that."""
    earlier = draft.with_suffix(".old")
    _remove(earlier)
    if final.exists():
        final.rename(earlier)
    try:
        draft.rename(final)
    except BaseException as error:
        if not final.exists():
            if earlier.exists():
                earlier.rename(final)
            raise
        # Another run was faster, which can only be where the file system has no locks.
        if not (isinstance(error, OSError) and stays(draft, final)):
            raise
    _remove(earlier)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        path.unlink()
