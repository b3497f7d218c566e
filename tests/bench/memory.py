"""The memory of a process and all it started, sampled while it works.

Proportional set size counts a page that n processes share as 1/n in each, so the sum
over processes counts every page once.
"""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

INTERVAL = 0.1  # seconds
GONE = (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError, ProcessLookupError)


@dataclass
class Peaks:
    """The largest samples, in bytes.

    Attributes:
        total: proportional memory of all processes together.
        private: the same without mapped files.
        mapped: of one file's mappings: the largest that a process has in memory, which the
            others share page by page, and every page that a process has a copy of its own of.
        mapping_processes: the most processes that mapped it at a time.
    """

    total: int = 0
    private: int = 0
    mapped: int = 0
    mapping_processes: int = 0

    def sample(self, root: psutil.Process, file_name: str) -> None:
        """Look at all processes once."""
        total = private = mapped = copied = users = 0
        for process in _family(root):
            with contextlib.suppress(*GONE):
                total += process.memory_full_info().pss
                maps = [m for m in process.memory_maps(grouped=True) if m.path.endswith(file_name)]
                mapped = max(mapped, sum(m.rss for m in maps))
                copied += sum(m.anonymous for m in maps)
                private -= sum(m.pss for m in maps)
                users += any(m.rss for m in maps)
        self.total, self.private = max(self.total, total), max(self.private, total + private)
        self.mapped = max(self.mapped, mapped + copied)
        self.mapping_processes = max(self.mapping_processes, users)


@contextmanager
def watched(file_name: str) -> Iterator[Peaks]:
    """Sample this process and its descendants until the block ends.

    Args:
        file_name: how the path of the mapped file of interest ends.
    """
    peaks, over, root = Peaks(), threading.Event(), psutil.Process()

    def watch() -> None:
        while not over.wait(INTERVAL):
            peaks.sample(root, file_name)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peaks
    finally:
        over.set()
        thread.join()


def _family(root: psutil.Process) -> list[psutil.Process]:
    with contextlib.suppress(*GONE):
        return [root, *root.children(recursive=True)]
    return []
