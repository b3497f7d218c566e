"""Replace result folders atomically: a reader sees the old or the new one, never a part.

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

KeepExisting = Callable[[Path, Path], bool]


def write_folder_atomically(
    target: Path,
    write: Callable[[Path], None],
    keep_existing: KeepExisting = lambda draft, target: False,
) -> None:
    """Write a draft folder and rename it to its target, or keep a better one that exists.

    Args:
        target: the folder to create or replace.
        write: writes all files into the draft folder that it is given.
        keep_existing: given the draft and the existing folder, returns whether to keep the latter.

    Raises:
        OSError: it cannot be written; an earlier folder is where it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    repair_folders(target.parent)
    with fold_lock(target, threading.Event()):
        draft = target.with_name(f".{target.name}.{socket.gethostname()}-{os.getpid()}.part")
        _remove(draft)
        draft.mkdir()
        try:
            write(draft)
            if not (target.exists() and keep_existing(draft, target)):
                _put_in_place(draft, target, keep_existing)
        finally:
            _remove(draft)


def repair_folders(parent: Path) -> None:
    """Restore folders that a killed process left half replaced, and remove its drafts.

    What was there before a process died comes back if nothing took its place; drafts and what
    was replaced are removed. Whatever a living process works on is left alone.
    """
    for target in left_behind(parent):
        _repair(target)


def left_behind(parent: Path) -> Iterator[Path]:
    """Yield the places in a folder at which processes died; the lock of each is held meanwhile."""
    at_once = threading.Event()
    at_once.set()
    hidden = (path.name.split(".") for path in parent.glob(".*.*"))
    for name in {parts[1] for parts in hidden if parts[-1] in ("part", "old", "lock")}:
        with contextlib.suppress(Interrupted), fold_lock(parent / name, at_once) as is_ours:
            if is_ours:
                yield parent / name


def _repair(target: Path) -> None:
    earlier, drafts = (
        target.parent.glob(f".{glob.escape(target.name)}.*.{ending}") for ending in ("old", "part")
    )
    with contextlib.suppress(OSError):
        replaced = sorted(earlier, key=lambda path: path.stat().st_mtime_ns)
        if replaced and not target.exists():
            replaced.pop().rename(target)
        for left in (*replaced, *drafts):
            _remove(left)


def _put_in_place(draft: Path, target: Path, keep_existing: KeepExisting) -> None:
    """Rename a draft to its target, then remove the folder that was there."""
    earlier = draft.with_suffix(".old")
    _remove(earlier)
    if target.exists():
        target.rename(earlier)
    try:
        draft.rename(target)
    except BaseException as error:
        if not target.exists():
            if earlier.exists():
                earlier.rename(target)
            raise
        # Another run was faster, which can only be where the file system has no locks.
        if not (isinstance(error, OSError) and keep_existing(draft, target)):
            raise
    _remove(earlier)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        path.unlink()
