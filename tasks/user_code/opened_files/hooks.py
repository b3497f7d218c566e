"""Hooks of this process that report opened files and arguments of calls to a watch."""

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from foldproof.tasks.user_code.installed import INSTALL_FOLDERS
from foldproof.tasks.user_code.opened_files.watch import Exclusions, Watch

_current: Watch | None = None

_hooked: list[Any] = []


@contextmanager
def watching(unwatched: Exclusions) -> Iterator[Watch]:
    """Note what this process opens, until the end of the block."""
    global _current
    if not _hooked:  # for good: Python cannot take one away
        _hooked.append(_hook)
        sys.addaudithook(_hook)
    _current = Watch(unwatched)
    try:
        yield _current
    finally:
        _current = None


@contextmanager
def handed_paths() -> Iterator[None]:
    """Inspect the arguments of all calls within the block, if a watch is active."""
    if _current is None:
        yield
        return
    before, look = sys.getprofile(), _profile(_current.on_call)
    threading.setprofile(look)
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _current is not None and event in ("open", "sqlite3.connect"):
        with contextlib.suppress(Exception):  # what is raised here would end the user's call
            _current.on_event(event, arguments)


def _profile(on_call: Callable[[FrameType], None]) -> Callable[[FrameType, str, Any], None]:
    """Return what Python is to call for each call and each return, so it must be short.

    While an installed package is imported, nothing is looked at: that is its own business, and
    imports hand thousands of paths around.
    """
    importing: list[FrameType] = []

    def look(frame: FrameType, event: str, _: Any) -> None:
        if importing:
            if event == "return" and frame is importing[0]:
                importing.clear()
            return
        if event != "call":
            return
        code = frame.f_code
        if code.co_filename.startswith(("<frozen importlib", "<frozen zipimport")):
            return
        if code.co_name == "<module>" and code.co_filename.startswith(INSTALL_FOLDERS):
            importing.append(frame)
            return
        try:  # noqa: SIM105  # suppress takes several times as long
            on_call(frame)
        except Exception:  # noqa: S110  # what is raised here would end the user's call
            pass

    return look
