"""How far a run's folds are, by folds and by epochs, and how long the rest may take."""

import time
from collections.abc import Sequence
from pathlib import Path

from foldproof.tasks.folds.job import FoldRecord
from foldproof.tasks.run.protocols import WatchedSlot
from foldproof.tasks.training.progress import ProgressSnapshot, read_progress


class FoldProgress:
    """Counts folds; one thread at a time."""

    def __init__(self, total: int, slots: Sequence[WatchedSlot] = ()) -> None:
        """Begin to count.

        Args:
            total: how many folds there are.
            slots: where they train; what earlier runs left there is nothing of this one's.
        """
        self.total, self.done, self.cached, self.failed = total, 0, 0, 0
        self._began = time.monotonic()
        self._moved: tuple[float, float] | None = None  # when the first epochs were seen
        self._over: set[tuple[int, int]] = set()
        self._slots: Sequence[WatchedSlot] = ()
        self._earlier: dict[Path, tuple[int, ...]] = {}
        self.watch(slots)

    def watch(self, slots: Sequence[WatchedSlot]) -> None:
        """Set the slots whose progress is shown."""
        self._slots = slots
        seen = {slot.progress_path: read_progress(slot.progress_path) for slot in slots}
        self._earlier = {path: _state(one) for path, one in seen.items() if one is not None}

    def add(self, record: FoldRecord) -> None:
        """Count a fold that is over."""
        self.done += 1
        self.cached += record.cached
        self.failed += record.error is not None
        self._over.add((record.repeat, record.fold))

    def under_way(self) -> list[tuple[str, ProgressSnapshot]]:
        """Return the folds that train now, with the names of their slots."""
        found = []
        for slot in self._slots:
            seen = read_progress(slot.progress_path)
            if seen is None or _state(seen) == self._earlier.get(slot.progress_path):
                continue
            if (seen.repeat, seen.fold) not in self._over:
                found.append((slot.name, seen))
        return found

    def share(self) -> float:
        """Return how much of all folds is done, from 0 to 1; epochs of a fold count in part."""
        return min(1.0, (self.done + self._in_part()) / max(1, self.total))

    def gone(self) -> float:
        """Return the seconds since the folds began."""
        return time.monotonic() - self._began

    def left(self) -> float | None:
        """Return the seconds that the rest may take, or None before that can be said.

        Before a fold was trained, what a worker needs to get ready counts for nothing.
        """
        part = self._in_part()
        trained, rest = self.done - self.cached + part, self.total - self.done - part
        if self._moved is None and trained > 0:
            self._moved = (self.gone(), trained)
        if self._moved is None or rest <= 0:
            return None
        since, before = self._moved if self.done == self.cached else (0.0, 0.0)
        return (self.gone() - since) / (trained - before) * rest if trained > before else None

    def _in_part(self) -> float:
        shares = {
            (seen.repeat, seen.fold): min(1.0, seen.epoch / seen.epochs) if seen.epochs else 0.0
            for _, seen in self.under_way()
        }
        return min(float(self.total - self.done), sum(shares.values()))


def times(progress: FoldProgress) -> str:
    """Return elapsed and remaining time as text."""
    left = progress.left()
    rest = "" if left is None else f", about {duration(left)} left"
    return f"{duration(progress.gone())} gone{rest}"


def duration(seconds: float) -> str:
    """Write seconds as M:SS or H:MM:SS."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _state(seen: ProgressSnapshot) -> tuple[int, ...]:
    return (seen.repeat, seen.fold, seen.epoch, seen.epochs)
