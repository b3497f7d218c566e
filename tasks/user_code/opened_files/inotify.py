"""A minimal interface to Linux's inotify, to learn which files were read."""

import contextlib
import ctypes
import os
import sys

READ = 0x0001 | 0x0010 | 0x80000000  # IN_ACCESS, IN_CLOSE_NOWRITE, IN_ONESHOT


class Inotify:
    """Watches files for reads with inotify; without it, all of them may have been read."""

    def __init__(self) -> None:
        """Begin with no file."""
        self._paths: dict[int, str] = {}
        self._handle = -1
        with contextlib.suppress(OSError, AttributeError):
            self._libc = ctypes.CDLL(None)
            self._handle = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)

    def watch(self, path: str) -> bool:
        """Begin to watch a file; tell whether that is possible."""
        if self._handle < 0:
            return False
        number = self._libc.inotify_add_watch(self._handle, os.fsencode(path), READ)
        if number >= 0:
            self._paths.setdefault(number, path)  # one of several names of the same file
        return bool(number >= 0)

    def seen(self) -> set[str]:
        """Return the files that were read since they are watched."""
        read: set[str] = set()
        with contextlib.suppress(BlockingIOError):
            while self._handle >= 0:
                events = os.read(self._handle, 1 << 16)
                for start in range(0, len(events), 16):  # of one file each: no name follows
                    number = int.from_bytes(events[start : start + 4], sys.byteorder, signed=True)
                    if number < 0:  # too many at once
                        return set(self._paths.values())
                    read.add(self._paths[number])
        return read

    def close(self) -> None:
        """End all watches."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
