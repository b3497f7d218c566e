"""How far a worker is: a few bytes in a file that the flow's process looks at.

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
class Sighting:
    """What a worker is doing: fold `fold` of repeat `repeat`, epochs done, the last loss."""

    repeat: int
    fold: int
    epoch: int
    epochs: int
    loss: float


class Progress:
    """The worker's side."""

    def __init__(self, path: Path | None, repeat: int, fold: int, epochs: int) -> None:
        """Say that a fold has started; without a path nothing is written."""
        self._path, self._place, self._epochs = path, (repeat, fold), epochs
        self.epoch_done(0, None)

    def model_built(self, model: Any) -> None:
        """Take notice of the model that is about to train; only an audit does."""

    def epoch_done(self, epoch: int, loss: float | None) -> None:
        """Say that an epoch has ended, with its loss where there is one."""
        if self._path is None:
            return
        value = float("nan") if loss is None else float(loss)
        content = LAYOUT.pack(*self._place, epoch, self._epochs, value)
        with contextlib.suppress(OSError):  # a full disk must not end a fold for a display
            self._path.write_bytes(content)


def look(path: Path) -> Sighting | None:
    """Return what a worker last said, or None before it said anything."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    return Sighting(*LAYOUT.unpack(content)) if len(content) == LAYOUT.size else None
