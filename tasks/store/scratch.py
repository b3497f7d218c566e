"""A run's scratch folder for arrays, rows and progress, in the folder for temporary files.

A process that is killed cannot remove it, so the next start does. That folder of temporary
files may be shared by containers and machines, where the number of a process says nothing: a
run holds the kernel's lock on a file in its folder instead, and the file names its machine.
"""

import contextlib
import fcntl
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path

from foldproof.tasks.common.errors import InputError

PREFIX = "foldproof-"
OWNER_FILE = "owner"  # locked by the owner; names the owner's machine
ABANDONED_AFTER_S = (
    7 * 24 * 3600.0
)  # seconds after which a folder without an owner's file is nobody's
REMOVE_TRIES, REMOVE_PAUSE_S = 5, 0.1  # to remove a folder

_held: dict[Path, int | None] = {}  # the locked files of this process


def make_scratch() -> Path:
    """Create the run's scratch folder, and remove those of killed processes of this machine.

    Raises:
        InputError: the folder for temporary files cannot be used.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}[0-9]*-*"):
        _remove_if_owner_died(left)
    try:
        made = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
        _held[made] = _lock_folder(made)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError("TMPDIR", f"cannot be written to ({reason}); choose another") from None
    return made


def remove_scratch(scratch: Path) -> None:
    """Remove a scratch folder, with retries: a process being killed may still write into it."""
    for _ in range(REMOVE_TRIES):
        shutil.rmtree(scratch, ignore_errors=True)
        if not scratch.exists():
            break
        time.sleep(REMOVE_PAUSE_S)
    handle = _held.pop(scratch, None)
    if handle is not None:
        os.close(handle)


def _lock_folder(folder: Path) -> int | None:
    """Put a locked owner file into a folder; it is locked before it gets its final name.

    Without a lock there is no such file: an unlocked one is that of a dead process.
    """
    hidden = folder / f".{OWNER_FILE}"
    handle = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        hidden.unlink()
        return None
    os.write(handle, socket.gethostname().encode())
    hidden.rename(folder / OWNER_FILE)
    return handle


def _remove_if_owner_died(folder: Path) -> None:
    """Remove a folder whose owner ran on this machine and is dead."""
    try:
        # Who put the file there is not known: a link or a pipe must neither be followed nor wait.
        handle = os.open(folder / OWNER_FILE, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        _remove_if_abandoned(folder)
        return
    except OSError:  # another user's
        return
    try:
        if os.read(handle, 1024).decode(errors="replace") != socket.gethostname():
            return
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # a living process holds it, or there are no locks
        return
    finally:
        os.close(handle)


def _remove_if_abandoned(folder: Path) -> None:
    """Remove an old, unused folder without an owner file, such as one of version 0.1.0."""
    with contextlib.suppress(OSError, ValueError):
        latest = max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if time.time() - latest > ABANDONED_AFTER_S and not _is_alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
