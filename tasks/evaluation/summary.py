"""Summarise the folds' metrics: one row per metric, with an interval and its method."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.evaluation import schemas
from foldproof.tasks.evaluation.intervals.choose import Interval, ScoredFold, interval
from foldproof.tasks.evaluation.measure import MetricValue, compute_metric
from foldproof.tasks.evaluation.predictions import Predictions
from foldproof.tasks.folds.split.plan import Fold, FoldPlan

Metrics = Mapping[str, MetricValue]
Read = Callable[[slice], Predictions]  # by places in the table of all folds' predictions


@dataclass(frozen=True)
class ScoredPredictions:
    """A finished fold's predictions and its metrics."""

    predictions: Predictions
    metrics: Metrics


def summarise(
    model: str,
    dataset: Dataset,
    plan: FoldPlan,
    measured: Sequence[Metrics | None],
    metrics: tuple[str, ...],
    read: Read,
) -> pa.Table:
    """Return one row per metric: mean, spread, interval and coverage.

    Args:
        model: the builder.
        dataset: for the task.
        plan: the folds, in order.
        measured: the metrics of each fold, None where it failed.
        metrics: the names, in order.
        read: returns predictions of finished folds, which lie there in the order of the plan.
    """
    is_whole = None not in measured
    folds = _scored_folds(dataset, plan, read) if is_whole else []
    pooled = _pooled(metrics, plan, read) if is_whole else dict.fromkeys(metrics)
    rows = []
    for name in metrics:
        found = [each[name].value for each in measured if each is not None]
        values = [float(value) for value in found if value is not None]
        bounds = _interval(name, values, folds, plan)
        rows.append(
            {
                "model": model,
                "metric": name,
                "n_folds": len(values),
                "n_planned": len(plan.folds),
                "mean": float(np.mean(values)) if values else None,
                "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
                "ci_low": bounds.low,
                "ci_high": bounds.high,
                "ci_method": bounds.method,
                "pooled": pooled[name],
            }
        )
    return pa.Table.from_pylist(rows, schema=schemas.summary_schema())


def _interval(
    name: str, values: list[float], folds: Sequence[ScoredFold], plan: FoldPlan
) -> Interval:
    if len(values) < len(plan.folds):
        return Interval(
            None, None, f"none: only {len(values)} of {len(plan.folds)} folds have a value"
        )
    return interval(name, values, folds, plan.method, plan.repeats)


def _scored_folds(dataset: Dataset, plan: FoldPlan, read: Read) -> list[ScoredFold]:
    """Return what intervals need of each fold: its sizes, and of a binary task its scores."""
    if dataset.task != "binary":
        return [ScoredFold(fold.n_train, fold.n_test) for fold in plan.folds]
    parts = (read(places) for places in _places(plan.folds))
    return [
        ScoredFold(fold.n_train, fold.n_test, part.truth == 1, part.scores[:, 0])
        for fold, part in zip(plan.folds, parts, strict=True)
    ]


def _places(folds: Sequence[Fold]) -> list[slice]:
    """Return where the predictions of each fold lie among those of all."""
    ends = np.cumsum([fold.n_test for fold in folds]).tolist()
    return [slice(end - fold.n_test, end) for fold, end in zip(folds, ends, strict=True)]


def _pooled(metrics: tuple[str, ...], plan: FoldPlan, read: Read) -> dict[str, float | None]:
    """Return each metric on a repeat's test rows together, as the mean over repeats."""
    values: dict[str, list[float | None]] = {name: [] for name in metrics}
    places = _places(plan.folds)
    for repeat in range(plan.repeats):
        own = [p for p, fold in zip(places, plan.folds, strict=True) if fold.repeat == repeat]
        together = read(slice(own[0].start, own[-1].stop))  # the repeats lie one after the other
        for name in metrics:
            values[name].append(compute_metric(name, together).value)
    return {name: _mean(found) for name, found in values.items()}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
