"""The log of one fold in Prefect: its output, its progress, and its error.

Only what a person would wait for is said: a fold that is over in a second leaves no line
but its own prints.
"""

import logging
import re
import threading
import time
from itertools import groupby
from pathlib import Path
from typing import Any

from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.training.progress import ProgressSnapshot
from foldproof.tasks.workers.output import MAX_LINES, OutputReader, output_path

MIN_LOG_INTERVAL_S, MAX_LOG_INTERVAL_S = 5.0, 60.0  # between two lines on epochs
MIN_LOGGED_S = 1.0  # of training, below which a fold gets no line
WARNING_LINE = re.compile(r"\b\w*Warning: ")

Logger = logging.Logger | logging.LoggerAdapter[Any]


class FoldLog:
    """Writes to the log of a fold's task run; several threads may use it."""

    def __init__(
        self, job: FoldJob, label: str, scratch: Path, logger: Logger, everything: bool
    ) -> None:
        """Begin to follow a fold.

        Args:
            job: the fold.
            label: its name, which begins each line on its progress.
            scratch: the run's folder.
            logger: of its task run.
            everything: show all that it prints, not only the first lines.
        """
        self.place, self.label = (job.repeat, job.fold), label
        self.began: float | None = None
        self.epoch, self.epochs, self.loss = 0, 0, float("nan")
        self._job, self._scratch, self._logger = job, scratch, logger
        self._most = None if everything else MAX_LINES
        self._attempt, self._reader = 1, self._reader_of(1)
        self._said_at, self._last, self._lock = 0.0, logging.INFO, threading.Lock()

    def update(self, seen: ProgressSnapshot | None, now: float) -> None:
        """Log new output and progress while the fold trains."""
        with self._lock:
            if self._path(self._attempt + 1).exists():
                self._turn_to(self._attempt + 1)
            self._print(ended=False)
            if seen is None or (seen.repeat, seen.fold) != self.place:
                return
            self.began = self.began or now
            is_new = seen.epoch != self.epoch
            self.epoch, self.epochs, self.loss = seen.epoch, seen.epochs, seen.loss
            if is_new and now - max(self._said_at, self.began) >= self._pause(now):
                self._said_at = now
                self._logger.info(self.progress())

    def end(self, record: FoldRecord) -> None:
        """Log the remaining output and the outcome of the fold."""
        with self._lock:
            for attempt in range(self._attempt, record.attempt + 1):
                self._turn_to(attempt)
            self._print(ended=True)
            if record.error is not None:
                text = record.traceback.rstrip() or record.error
                self._logger.error("%s", text)
            elif self.seconds() > MIN_LOGGED_S:
                seconds = self.seconds()
                self._logger.info(f"{self.label}: trained in {seconds:.1f} s on {record.slot}")
            self._remove()

    def seconds(self) -> float:
        """Return how long it trained so far."""
        return 0.0 if self.began is None else time.monotonic() - self.began

    def share(self) -> float:
        """Return how much of the fold is done, from 0 to 1."""
        return min(1.0, self.epoch / self.epochs) if self.epochs else 0.0

    def progress(self) -> str:
        """Return how far it is, for people."""
        loss = "" if self.loss != self.loss else f", loss {self.loss:.4f}"
        return f"{self.label}: epoch {self.epoch} of {self.epochs}{loss}"

    def _pause(self, now: float) -> float:
        """Return how long to be silent: a tenth of the fold's time, within limits."""
        share = self.share()
        expected = (now - (self.began or now)) / share if share else 0.0
        return min(MAX_LOG_INTERVAL_S, max(MIN_LOG_INTERVAL_S, expected / 10))

    def _print(self, ended: bool) -> None:
        for level, lines in groupby(self._reader.lines(ended), self._level):
            self._logger.log(level, "%s", "\n".join(lines))

    def _level(self, line: str) -> int:
        if not line[:1].isspace():  # a warning quotes the line it comes from, indented
            self._last = logging.WARNING if WARNING_LINE.search(line) else logging.INFO
        return self._last

    def _turn_to(self, attempt: int) -> None:
        if attempt != self._attempt:
            self._print(ended=True)
            self._attempt, self._reader = attempt, self._reader_of(attempt)

    def _reader_of(self, attempt: int) -> OutputReader:
        return OutputReader(self._path(attempt), self._most)

    def _path(self, attempt: int) -> Path:
        return output_path(self._scratch, self._job.key, attempt)

    def _remove(self) -> None:
        for attempt in range(1, self._attempt + 1):
            self._path(attempt).unlink(missing_ok=True)
