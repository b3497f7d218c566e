"""Compare the fits of each cause: bit for bit, by scores, by the metric, epoch by epoch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.audit.causes import Cause, Interpretation
from foldproof.tasks.audit.runner import CauseOutcome
from foldproof.tasks.audit.table import REFERENCE, REPEAT, Comparison
from foldproof.tasks.audit.trial import FitResult, TrialOutcome
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.evaluation.summary import ScoredPredictions
from foldproof.tasks.evaluation.tables import score_output
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.outputs import UnfitOutput


@dataclass(frozen=True)
class FoldScorer:
    """Computes scores and the metric of raw output for a fold's test rows.

    Attributes:
        dataset: for the true values.
        rows: the test rows' positions.
        metric: the metric's name.
    """

    dataset: Dataset
    rows: NDArray[np.int64]
    metric: str

    def score(self, fit: FitResult) -> ScoredPredictions:
        """Return a fit's scores and the metric.

        Raises:
            UnfitOutput: its output is not finite, or no probability.
        """
        raw = np.load(fit.raw, allow_pickle=False)
        return score_output(self.dataset, self.rows, raw, fit.activation, (self.metric,))


def compare_all(
    scorer: FoldScorer, job: FoldJob, tried: Sequence[CauseOutcome]
) -> tuple[Comparison, ...]:
    """Compare each cause's fits, the reference first.

    Args:
        scorer: for the fold's test rows.
        job: the fold.
        tried: what became of each cause, the reference first.
    """
    reference = tried[0].outcome
    assert reference is not None  # it applies to every model
    rows: list[Comparison] = []
    for each in tried:
        rows += _rows_of(scorer, job, each, reference.fits[0])
    return tuple(rows)


def first_divergence(epochs: Sequence[str], other: Sequence[str]) -> int | None:
    """Return the first epoch after which weights differ, 0 for before the first batch.

    Args:
        epochs: digests of the weights before the first batch and after each epoch.
        other: the same of another fit; it may have stopped earlier.
    """
    for epoch, (one, two) in enumerate(zip(epochs, other, strict=False)):
        if one != two:
            return epoch
    return min(len(epochs), len(other)) if len(epochs) != len(other) else None


def _rows_of(
    scorer: FoldScorer, job: FoldJob, tried: CauseOutcome, reference: FitResult
) -> Iterator[Comparison]:
    cause, outcome = tried.cause, tried.outcome
    row = Comparison(
        job.builder.reference,
        job.repeat,
        job.fold,
        cause.name,
        cause.title,
        cause.done,
        REPEAT,
        scorer.metric,
    )
    if outcome is None:
        yield replace(row, applies=False, meaning=cause.not_for_estimators)
    elif outcome.error is not None:
        yield _failed(row, cause, outcome.error)
    else:
        yield from _compared(scorer, row, cause, outcome, reference)


def _compared(
    scorer: FoldScorer, row: Comparison, cause: Cause, outcome: TrialOutcome, reference: FitResult
) -> Iterator[Comparison]:
    one, two = outcome.fits
    try:
        repeated = _beside(scorer, row, two, one, cause.repeated)
        yield _with_orders(repeated, outcome.orders, cause)
        if cause.reference is not None:
            against = replace(row, compared_with=REFERENCE)
            yield _beside(scorer, against, two, reference, cause.reference)
    except UnfitOutput as error:
        yield _failed(row, cause, str(error))


def _beside(
    scorer: FoldScorer, row: Comparison, fit: FitResult, other: FitResult, meaning: Interpretation
) -> Comparison:
    scored, beside = scorer.score(fit), scorer.score(other)
    value, other_value = (each.metrics[scorer.metric].value for each in (scored, beside))
    apart = np.abs(scored.predictions.scores - beside.predictions.scores).max()
    equal = (fit.epochs, fit.weights, fit.predictions) == (
        other.epochs,
        other.weights,
        other.predictions,
    )
    return replace(
        row,
        bit_equal=equal,
        first_divergent_epoch=first_divergence(fit.epochs, other.epochs),
        weights_sha256=fit.weights,
        other_weights_sha256=other.weights,
        predictions_sha256=fit.predictions,
        other_predictions_sha256=other.predictions,
        score_difference=float(apart),
        value=value,
        other_value=other_value,
        metric_difference=None
        if value is None or other_value is None
        else abs(value - other_value),
        meaning=meaning.equal if equal else meaning.differ,
    )


def _with_orders(row: Comparison, orders: Sequence[str], cause: Cause) -> Comparison:
    """Add what was seen of the order of the rows, where it was watched."""
    if not orders:
        return row
    seen, distinct = len(orders), len(set(orders))
    said = f"The rows came in {distinct} different orders in the {seen} epochs watched."
    if seen == 1:
        said = "There is one epoch only, so that no order of the rows can come again."
    elif distinct == 1:
        said = f"The rows came in one and the same order in all {seen} epochs watched{cause.order}."
    meaning = f"{row.meaning} {said}"
    return replace(row, epochs_watched=seen, distinct_orders=distinct, meaning=meaning)


def _failed(row: Comparison, cause: Cause, error: str) -> Comparison:
    meaning = f"A fit failed: {error}. {cause.repeated.differ}"
    return replace(row, bit_equal=False, error=error, meaning=meaning)
