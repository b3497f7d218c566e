"""A worker's progress: a few bytes in a file that the flow's process polls.

A file of fixed size needs no lock and no reader; a torn read shows a wrong number for a
moment, in a display.
"""

import contextlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LAYOUT = struct.Struct("<qqqqd")  # repeat, fold, epoch, epochs, loss


@dataclass(frozen=True)
class ProgressSnapshot:
    """The progress of a worker: its repeat and fold, the epochs done, the last loss."""

    repeat: int
    fold: int
    epoch: int
    epochs: int
    loss: float


class ProgressWriter:
    """Writes the progress file, in the worker."""

    def __init__(self, path: Path | None, repeat: int, fold: int, epochs: int) -> None:
        """Record that a fold has started; without a path nothing is written."""
        self._path, self._place, self._epochs = path, (repeat, fold), epochs
        self.epoch_done(0, None)

    def model_built(self, model: Any) -> None:
        """Called with the model before training; a hook for audits."""

    def epoch_done(self, epoch: int, loss: float | None) -> None:
        """Record that an epoch has ended, with its loss if there is one."""
        if self._path is None:
            return
        value = float("nan") if loss is None else float(loss)
        content = LAYOUT.pack(*self._place, epoch, self._epochs, value)
        with contextlib.suppress(OSError):  # a full disk must not end a fold for a display
            self._path.write_bytes(content)


def read_progress(path: Path) -> ProgressSnapshot | None:
    """Return the latest progress of a worker, or None if it has written none."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return ProgressSnapshot(*LAYOUT.unpack(content)) if len(content) == LAYOUT.size else None
