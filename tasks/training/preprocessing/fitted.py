"""Fit the preprocessing of a fold on its training rows, in the way that the job says."""

from typing import Any, Protocol

from numpy.typing import NDArray

from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.preprocess import ColumnOutcome
from foldproof.tasks.training.preprocessing.scaler import Scaler


class Fitted(Protocol):
    """A fitted preprocessing: raw rows to what the model takes."""

    @property
    def outcome(self) -> tuple[ColumnOutcome, ...]:
        """What it does, column by column; empty where there is nothing to tell."""

    def transform(self, raw: Any, own: bool = False) -> Any:
        """Return the features of some rows; `own` rows may be overwritten."""


class Unchanged:
    """No preprocessing: rows go to the model as they are."""

    outcome: tuple[ColumnOutcome, ...] = ()

    def transform(self, raw: Any, own: bool = False) -> Any:
        """Return the same rows."""
        return raw


def fit_preprocessing(job: FoldJob, raw: Any, targets: NDArray[Any]) -> tuple[Fitted, Any]:
    """Fit on training rows.

    Args:
        job: the fold; it has the seed of all randomness here.
        raw: the training rows: an array (n, ...) that may be overwritten, or a frame.
        targets: their sorted label codes, or values float64 (n,).

    Returns:
        What transforms other rows, and the features of these.

    Raises:
        InputError: it cannot be made, or not fitted to these rows.
    """
    if job.preprocess.way == "none":
        return Unchanged(), raw
    if job.preprocess.way == "own":
        from foldproof.tasks.training.preprocessing.own import fit_own

        return fit_own(job.preprocess, raw, targets, job.preprocessing_seed)
    if job.preprocess.way == "auto":
        from foldproof.tasks.training.preprocessing.auto import fit_auto

        return fit_auto(raw, job.train.scaler, job.preprocessing_seed)
    scaler = Scaler(job.train.scaler).fit(raw)
    return scaler, scaler.transform(raw, own=True)
