"""Keep what took seconds to start for the next call in this Python process.

It ends with this process, after some idle minutes, or by `foldproof.shutdown()`. A process that
does one command after another keeps it for the next command in the same way.
"""

import atexit
import os
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

IDLE_TIMEOUT_S = 600.0
# Set by importing scikit-learn or Prefect here, and by nobody's wish.
SET_BY_IMPORTS = ("KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "DO_NOT_TRACK")
# Set by shells anew for each command or window, or the wish to keep: nothing depends on them.
OF_SHELLS = ("_", "PWD", "OLDPWD", "SHLVL", "COLUMNS", "LINES", "WINDOWID", "SSH_TTY")
WISH = "FOLDPROOF_KEEP_WARM"
PASSED_OVER = frozenset((*SET_BY_IMPORTS, *OF_SHELLS, WISH))


@dataclass(frozen=True)
class _Kept:
    thing: Any
    stop: Callable[[], None]
    timer: threading.Timer


_kept: dict[Hashable, _Kept] = {}
_lock, _ending = threading.Lock(), threading.RLock()
_between_commands: float | None = None  # idle seconds of a process that does commands


def keep(key: Hashable, thing: Any, stop: Callable[[], None]) -> None:
    """Keep a thing until it is taken again, or stopped; of two under one key the later is kept."""
    timer = threading.Timer(_between_commands or IDLE_TIMEOUT_S, _end, [key])
    timer.daemon = True
    before = _take(key)
    with _lock:
        _kept[key] = _Kept(thing, stop, timer)
    timer.start()
    _stop(before)


def take(key: Hashable) -> Any | None:
    """Return what was kept under a key, which is the caller's from now on."""
    found = _take(key)
    return None if found is None else found.thing


def shutdown() -> None:
    """End the processes that are kept for the next call; that call starts others.

    What a call that is under way uses is left to it.
    """
    with _ending:  # or this process might exit while another thread is at it
        for key in tuple(_kept):
            _stop(_take(key))


def _end(key: Hashable) -> None:
    with _ending:
        _stop(_take(key))


def serve_commands(idle_s: float) -> None:
    """Say that this process does commands, and for how many idle seconds it stays for the next."""
    global _between_commands
    _between_commands = idle_s


def serves_commands() -> bool:
    """Tell whether this process stays for the next command."""
    return _between_commands is not None


def kept_names() -> list[str]:
    """Return what is kept at this moment, in words."""
    return sorted(str(entry.thing) for entry in tuple(_kept.values()))


def _take(key: Hashable) -> _Kept | None:
    """Take an entry out, with how it is stopped."""
    with _lock:
        found = _kept.pop(key, None)
    if found is not None:
        found.timer.cancel()
    return found


def _stop(entry: _Kept | None) -> None:
    if entry is not None:
        entry.stop()


def _forget() -> None:
    """In a fork of this process, nothing is kept: it is the parent's."""
    global _lock, _ending
    _lock, _ending = threading.Lock(), threading.RLock()
    _kept.clear()


def environment() -> tuple[tuple[str, str], ...]:
    """Return the environment variables, which processes inherit when they start."""
    return tuple(sorted((k, v) for k, v in os.environ.items() if k not in PASSED_OVER))


os.register_at_fork(after_in_child=_forget)
atexit.register(shutdown)
