"""Watch which files a builder opens while it builds, since they are part of the model.

Python tells of its own `open`. What C and C++ open, as HDF5 and TensorFlow do, is seen in two
steps: each path that is handed to a Python function meanwhile is watched by the kernel
(inotify), which says whether the file was read. Without inotify each such file counts.
Not seen: a path that reaches C code without having been an argument of any Python function.
"""

import os
import stat
import sys
from dataclasses import dataclass
from importlib.util import source_from_cache
from pathlib import Path, PurePath
from types import CodeType, FrameType
from typing import Any

from foldproof.tasks.common.digest import digest_file
from foldproof.tasks.user_code.installed import INSTALL_FOLDERS, is_installed_file
from foldproof.tasks.user_code.opened_files.inotify import Inotify

SYSTEM_PREFIXES = (
    "/proc/",
    "/sys/",
    "/dev/",
    "/etc/",
    "/lib/",
    "/lib64/",
    "/usr/lib/",
    "/usr/share/",
    "/System/",  # this and those below are macOS's
    "/private/etc/",
    "/private/var/db/",
)
# Of modules and distributions wherever these lie; sources and versions are in the keys.
OF_INSTALLATION = ("/__pycache__/", ".dist-info/", ".egg-info/", "/__editable__.")
MAX_PATH_CHARS = 4096  # characters of a path
MAX_LIST_PATHS = 1000  # of one list that is looked at
EXISTENCE_CHECKS = (
    "exists",
    "isfile",
    "is_file",
    "lexists",
)  # functions that ask whether a file is there
READS_A_VARIABLE: CodeType = type(os.environ).__getitem__.__code__

Signature = tuple[int, int, int]


@dataclass(frozen=True)
class OpenedFiles:
    """The files and variables that a builder read, besides its source.

    Attributes:
        files: path and SHA-256 of each file, in the order in which they were opened.
        absent: paths where it looked for a file and there was none.
        variables: names of the environment variables that it read.
    """

    files: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


NOTHING = OpenedFiles()


@dataclass(frozen=True)
class Exclusions:
    """Files that do not count as opened.

    Attributes:
        folders: whatever lies there.
        modules: their source counts already.
    """

    folders: tuple[Path, ...] = ()
    modules: tuple[str, ...] = ()


class Watch:
    """Notes what is opened in this process from `watching` on."""

    def __init__(self, unwatched: Exclusions) -> None:
        """Begin to watch all but what does not count."""
        folders = map(os.path.realpath, unwatched.folders)
        self._left_out = tuple(f"{folder}{os.sep}" for folder in folders)
        self._traced = unwatched.modules
        self._found: dict[str, Signature] = {}
        self._read: set[str] = set()
        self._absent: dict[str, None] = {}
        self._variables: set[str] = set()
        self._looked_at: set[Any] = set()
        self._kernel = Inotify()

    def opened(self) -> OpenedFiles:
        """Return what was read; what the builder writes itself follows from its source."""
        self._read |= self._kernel.seen()
        modules = {os.path.realpath(path) for name in self._traced if (path := _file_of(name))}
        kept = [
            path
            for path, signature in self._found.items()
            if path in self._read and path not in modules and signature_of(path) == signature
        ]
        self._kernel.close()
        return OpenedFiles(
            tuple((path, digest_file(Path(path))) for path in kept),
            tuple(sorted(path for path in self._absent if not Path(path).exists())),
            tuple(sorted(self._variables)),
        )

    def on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note a file that Python opens."""
        if event == "sqlite3.connect" or _is_for_reading(*arguments[1:3]):
            self._note(arguments[0], is_read=True)

    def on_call(self, frame: FrameType) -> None:
        """Note the paths that a function is handed."""
        if frame.f_code is READS_A_VARIABLE:
            self._variables.add(str(frame.f_locals["key"]))
            return
        asks = frame.f_code.co_name in EXISTENCE_CHECKS
        for value in frame.f_locals.values():
            kind = type(value)
            if kind is list or kind is tuple:
                if value and isinstance(value[0], str | PurePath):
                    for item in value[:MAX_LIST_PATHS]:
                        self._look_at(item, asks)
            elif kind is str or kind is bytes or isinstance(value, PurePath):
                self._look_at(value, asks)

    def _look_at(self, value: Any, asks: bool) -> None:
        """Note a text if it is the path of a file; of those most are names of something else."""
        if value in self._looked_at:
            return
        text = os.fsdecode(value)
        if not 0 < len(text) < MAX_PATH_CHARS:
            return
        if signature_of(text) is not None or ("/" not in text and "." not in text):
            self._looked_at.add(value)  # what is not there yet is looked at again
        self._note(text, is_read=False, asks=asks)

    def _note(self, given: Any, is_read: bool, asks: bool = False) -> None:
        if isinstance(given, int):
            return
        path = os.path.abspath(os.fsdecode(given))  # noqa: PTH100  # links are followed below
        if path.startswith(INSTALL_FOLDERS):
            return
        path = _source_of(path)
        signature = signature_of(path)
        if signature is None:
            self._note_absent(path, is_read or asks)
            return
        path = os.path.realpath(path)
        if path in self._found:
            self._read |= {path} if is_read else set()
        elif self._counts(path) and not _is_import_of_installed():
            self._found[path] = signature
            if is_read or not self._kernel.watch(path):
                self._read.add(path)

    def _note_absent(self, path: str, is_wanted: bool) -> None:
        if is_wanted and not os.path.lexists(path) and path not in sys.path:
            self._absent |= {path: None} if self._counts(path) else {}
        elif not is_wanted and signature_of(f"{path}.index") is not None:  # of a checkpoint
            for part in sorted(Path(path).parent.glob(f"{Path(path).name}.*")):
                self._note(str(part), is_read=False)

    def _counts(self, path: str) -> bool:
        if path.startswith((*SYSTEM_PREFIXES, *self._left_out)):
            return False
        if any(part in path for part in OF_INSTALLATION):
            return False
        return not is_installed_file(path)


def _is_for_reading(mode: Any, flags: Any) -> bool:
    if isinstance(mode, str):
        return "r" in mode or ("a" in mode and "+" in mode)
    away = os.O_TRUNC | os.O_DIRECTORY
    return flags & os.O_ACCMODE != os.O_WRONLY and not flags & away


def signature_of(path: str) -> Signature | None:
    """Return size and time of a regular file, which change with its content, or None."""
    try:
        found = os.stat(path)  # noqa: PTH116  # done for every text that is handed around
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _source_of(path: str) -> str:
    """Return the source of a compiled module, if it is there."""
    if not path.endswith(".pyc"):
        return path
    try:
        source = source_from_cache(path)
    except ValueError:
        return path
    return source if Path(source).is_file() else path


def _file_of(module: str) -> str | None:
    return getattr(sys.modules.get(module), "__file__", None)


def _is_import_of_installed() -> bool:
    """Return whether an installed package is being imported, which is its own business."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_code.co_filename.startswith(
            INSTALL_FOLDERS
        ):
            return True
        frame = frame.f_back
    return False
