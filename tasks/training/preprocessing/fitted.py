"""Fit the preprocessing of a fold on its training rows, in the way that the job says."""

from dataclasses import replace
from typing import Any, Protocol

from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.named.inputs import setting_of
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


class OfInputs:
    """The fitted preprocessing of each input, which gets its rows by its name."""

    def __init__(self, fitted: dict[str, Fitted]) -> None:
        """Keep what is fitted to each."""
        self._fitted = fitted

    @property
    def outcome(self) -> tuple[ColumnOutcome, ...]:
        """What it does to the columns of each input."""
        return tuple(
            replace(told, column=f"{name}.{told.column}")
            for name, fitted in self._fitted.items()
            for told in fitted.outcome
        )

    def transform(self, raw: Any, own: bool = False) -> Any:
        """Return the features of some rows, by the names of the inputs."""
        return {name: fitted.transform(raw[name], own) for name, fitted in self._fitted.items()}


def fit_preprocessing(job: FoldJob, raw: Any, targets: NDArray[Any]) -> tuple[Fitted, Any]:
    """Fit on training rows.

    Args:
        job: the fold; it has the seed of all randomness here.
        raw: the training rows: an array (n, ...) that may be overwritten, or a frame; of
            several inputs a dict of these.
        targets: their sorted label codes, or values float64 (n,).

    Returns:
        What transforms other rows, and the features of these.

    Raises:
        InputError: it cannot be made, or not fitted to these rows.
    """
    if job.inputs:
        found = {n: _fit_input(n, part, raw[n], targets) for n, part in job.parts.items()}
        features = {name: pair[1] for name, pair in found.items()}
        return OfInputs({name: pair[0] for name, pair in found.items()}), features
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


def _fit_input(name: str, part: FoldJob, raw: Any, targets: NDArray[Any]) -> tuple[Fitted, Any]:
    """Fit to the features of one input.

    Raises:
        InputError: as `fit_preprocessing`, with the input.
    """
    try:
        return fit_preprocessing(part, raw, targets)
    except InputError as error:
        field = setting_of(name) if error.field == setting_of("") else error.field
        raise InputError(field, error.problem) from error.__cause__
