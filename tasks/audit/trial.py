"""Messages between an audit and its workers: small, frozen, without arrays."""

from dataclasses import dataclass
from pathlib import Path

from foldproof.tasks.audit.causes import Conditions, Way
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.outputs import Activation


@dataclass(frozen=True)
class Trial:
    """A fold trained one or more times in one process.

    Attributes:
        cause: the cause's name.
        way: how it is trained.
        conditions: what the process must set.
        times: fits in this process.
        job: the fold.
        orders: watch the order of the rows, too.
        folder: an existing folder for raw outputs.
    """

    cause: str
    way: Way
    conditions: Conditions
    times: int
    job: FoldJob
    orders: bool
    folder: Path


@dataclass(frozen=True)
class FitResult:
    """The result of one fit.

    Attributes:
        epochs: digest of the weights before the first batch, then after each epoch; empty
            for an estimator.
        weights: digest of the weights at the end, or None for an estimator.
        raw: npy file of the raw output for the test rows.
        predictions: its digest.
        activation: what turns it into probabilities.
    """

    epochs: tuple[str, ...]
    weights: str | None
    raw: Path
    predictions: str
    activation: Activation


@dataclass(frozen=True)
class TrialOutcome:
    """The outcome of a trial: its fits, or its error.

    Attributes:
        fits: as many as were asked for, unless one failed.
        orders: digest of the order of the rows in each epoch watched; empty where it was not.
        error: why a fit failed, in one line, or None.
        traceback: of that.
    """

    fits: tuple[FitResult, ...] = ()
    orders: tuple[str, ...] = ()
    error: str | None = None
    traceback: str = ""
