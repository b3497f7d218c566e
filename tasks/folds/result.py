"""The result of a fold, and the record of its execution."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.digest import digest_array, digest_json
from foldproof.tasks.folds.initial_state import InitialState
from foldproof.tasks.folds.outputs import Activation
from foldproof.tasks.folds.preprocess import ColumnOutcome
from foldproof.tasks.folds.target_scaling import TargetScaling


@dataclass(frozen=True)
class Execution:
    """When, where and how fast a fold was trained; none of it affects the result."""

    attempt: int
    device: str
    started_at: datetime
    seconds_build: float
    seconds_fit: float
    seconds_predict: float
    peak_rss_mib: float
    host: str = ""
    pid: int = 0
    numerics: str = ""


@dataclass(frozen=True)
class FinishedFold:
    """The result of a fold.

    Attributes:
        key: SHA-256 of all that the result follows from.
        rows: test rows, int64 (n,).
        raw: the model's output for them, float32 or float64 (n, outputs).
        activation: what turns the output into probabilities.
        history: (epoch from 1, metric, value), by epoch.
        epochs_run, best_epoch: of the training; None where there are no epochs.
        initial, weights: digests of the weights; None for estimators.
        predictions: digest of the raw output.
        start: what the model was before its first batch.
        execution: how it was trained.
        notice: what the user should be told; it is not stored.
        columns: what its preprocessing did to each column of a table.
        target_scaling: how targets were scaled for training, which the raw output still is.
    """

    key: str
    rows: NDArray[np.int64]
    raw: NDArray[Any]
    activation: Activation
    history: tuple[tuple[int, str, float], ...]
    epochs_run: int | None
    best_epoch: int | None
    initial: str | None
    weights: str | None
    predictions: str
    start: InitialState
    execution: Execution
    notice: str = ""
    columns: tuple[ColumnOutcome, ...] = ()
    target_scaling: TargetScaling | None = None

    @property
    def output(self) -> NDArray[Any]:
        """The model's output in the unit of the targets: raw, or with their scaling undone."""
        return self.raw if self.target_scaling is None else self.target_scaling.undone(self.raw)

    def content_digest(self) -> str:
        """Return the digest of all that is the same in every training of this fold."""
        history = [[epoch, name, float(value).hex()] for epoch, name, value in self.history]
        parts = [digest_array(self.rows), digest_array(self.raw), self.activation, history]
        numbers = [self.epochs_run, self.best_epoch, self.start.step, self.start.seeded]
        columns: list[Any] = [column.plain() for column in self.columns]  # none of plain numbers
        if self.target_scaling is not None:
            columns.append(self.target_scaling.plain())
        return digest_json(
            [self.key, *parts, *numbers, self.initial, self.weights, self.predictions, *columns]
        )


def now() -> datetime:
    """Return the time in UTC; it is shown, never computed with."""
    return datetime.now(UTC)
