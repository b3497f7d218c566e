"""Keep what took seconds to start for the next call in this Python process.

It ends with this process, after some idle minutes, or by `foldproof.shutdown()`.
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


@dataclass(frozen=True)
class _Kept:
    thing: Any
    stop: Callable[[], None]
    timer: threading.Timer


_kept: dict[Hashable, _Kept] = {}
_lock = threading.Lock()


def keep(key: Hashable, thing: Any, stop: Callable[[], None]) -> None:
    """Keep a thing until it is taken again, or stopped; of two under one key the later is kept."""
    timer = threading.Timer(IDLE_TIMEOUT_S, lambda: _stop(_take(key)))
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
    for key in tuple(_kept):
        _stop(_take(key))


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
    global _lock
    _lock = threading.Lock()
    _kept.clear()


def environment() -> tuple[tuple[str, str], ...]:
    """Return the environment variables, which processes inherit when they start."""
    set_by_hand = {k: v for k, v in os.environ.items() if k not in SET_BY_IMPORTS}
    return tuple(sorted(set_by_hand.items()))


os.register_at_fork(after_in_child=_forget)
atexit.register(shutdown)
