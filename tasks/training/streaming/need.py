"""Decide whether a fold's rows stay on disk: the memory that they need, and what there is."""

from dataclasses import dataclass

import numpy as np

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.data.dataset import CODES
from foldproof.tasks.data.npy import map_array
from foldproof.tasks.data.stored_features import FEATURES, WIDE
from foldproof.tasks.data.tables.frames import FRAME
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.machine.memory import MIB, free_bytes, free_text
from foldproof.tasks.training.preprocessing.scaler import CLASSES
from foldproof.tasks.training.streaming.column_scaler import LEAST_COLUMNS

# Bytes that fitting takes for each value beside the value itself: masks and differences from
# the mean, or sorted copies. An own scaler's are not known.
FITTING = {"none": 0, "minmax": 2, "standard": 10, "robust": 10}
OWN = 10
BLOCK_SHARE = 4  # a block of columns may take a quarter of the memory that there is
MAX_BLOCK_BYTES = 1 << 28
REMEDY = "raise compute.memory_limit, lower compute.workers, or set train.stream to never to try it"


@dataclass(frozen=True)
class Need:
    """What a fold's training rows need.

    Attributes:
        rows: how many there are.
        shape: of a sample.
        kind: of a value as it is read.
        fitting: bytes a value that the scaler takes beside it.
    """

    rows: int
    shape: tuple[int, ...]
    kind: np.dtype[np.float32] | np.dtype[np.float64]
    fitting: int

    @property
    def width(self) -> int:
        """The number of features of a sample."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def least(self) -> int:
        """Bytes of the features that a model takes."""
        return self.rows * self.width * np.dtype(np.float32).itemsize

    @property
    def bytes(self) -> int:
        """Bytes of the rows as they are read, and of fitting the scaler to them."""
        return self.rows * self.width * (self.kind.itemsize + self.fitting)

    @property
    def of_column(self) -> int:
        """Bytes of fitting the scaler to a column."""
        return self.rows * (self.kind.itemsize + self.fitting)


def need_of(job: FoldJob, rows: int) -> Need:
    """Return what some training rows of plain numbers need."""
    shape = map_array(job.data / FEATURES).shape[1:]
    scales = job.preprocess.way != "none" and job.train.scaler != "none"
    is_wide = scales and (job.data / WIDE).exists()
    kind = np.dtype(np.float64) if is_wide else np.dtype(np.float32)
    fitting = FITTING.get(job.train.scaler, OWN) if scales else 0
    return Need(rows, shape, kind, fitting)


def streams(job: FoldJob, rows: int) -> bool:
    """Return whether a fold's features stay on disk while it trains.

    Args:
        job: the fold.
        rows: that are in the process's hands while it trains.

    Raises:
        InputError: they would not fit, and a step needs all at once.
    """
    if job.inputs and job.train.stream == "always":
        raise InputError("train.stream", "always, but data.inputs names several; set it to auto")
    if job.inputs or job.train.stream == "never":
        return False
    setting, step = _needs_all(job)
    if job.train.stream == "always":
        if setting:
            raise InputError("train.stream", f"always, but {step} takes all rows; set it to auto")
        return True
    if setting:
        refuse_too_large(job, rows, setting, step)
        return False
    return need_of(job, rows).bytes > free_bytes()


def refuse_too_large(job: FoldJob, rows: int, setting: str, step: str) -> None:
    """Refuse a step that takes all rows at once where not even these fit in memory.

    Args:
        job: the fold.
        rows: that it takes.
        setting: of the step.
        step: what it is called.

    Raises:
        InputError: with the memory that they need, and what there is.
    """
    frame = job.data / FRAME
    if frame.exists():
        share = rows / max(1, len(map_array(job.data / CODES)))
        least = int(frame.stat().st_size * share)
    else:
        least = need_of(job, rows).least
    free = free_bytes()
    if least > free:
        problem = f"{step} takes all {rows} training rows at once, which need {least // MIB} MiB"
        raise InputError(setting, f"{problem}, but {free_text(free)}; {REMEDY}")


def columns_at_a_time(need: Need) -> int:
    """Return how many columns of all rows the scaler may be fitted to at once.

    Raises:
        InputError: not even a few of them would fit.
    """
    free = free_bytes()
    if LEAST_COLUMNS * need.of_column > free:
        least = LEAST_COLUMNS * need.of_column // MIB
        problem = f"a scaler takes {LEAST_COLUMNS} columns of all {need.rows} training rows at once"
        problem += f", which need {least} MiB, but {free_text(free)}"
        raise InputError("train.scaler", f"{problem}; {REMEDY}")
    return int(min(MAX_BLOCK_BYTES, free // BLOCK_SHARE) // max(1, need.of_column))


def _needs_all(job: FoldJob) -> tuple[str, str]:
    """Return the setting and the name of a step that takes all rows at once, or nothing."""
    if (job.data / FRAME).exists() or job.preprocess.way not in ("scaler", "none"):
        return "data.preprocess", f"preprocessing ({job.preprocess.name})"
    if job.train.sampler is not None:
        return "train.sampler", job.train.sampler.name
    if job.preprocess.way == "scaler" and job.train.scaler not in (*CLASSES, "none"):
        return "train.scaler", job.train.scaler
    if job.train.engine == "compiled":
        return "train.engine", "compiled"
    return "", ""
