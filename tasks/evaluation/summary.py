"""From the folds' metrics to one row a metric, with an interval that names its method."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.evaluation import schemas
from foldproof.tasks.evaluation.intervals.choose import Interval, ScoredFold, interval
from foldproof.tasks.evaluation.measure import Measured, measure
from foldproof.tasks.evaluation.predictions import Predictions
from foldproof.tasks.folds.plan import FoldPlan


@dataclass(frozen=True)
class ScoredPredictions:
    """A finished fold's predictions and its metrics."""

    predictions: Predictions
    metrics: Mapping[str, Measured]


def summarise(
    model: str,
    dataset: Dataset,
    plan: FoldPlan,
    scored: Sequence[ScoredPredictions | None],
    metrics: tuple[str, ...],
) -> pa.Table:
    """Return one row a metric: mean, spread, interval and coverage.

    Args:
        model: the builder.
        dataset: for the task.
        plan: the folds, in order.
        scored: what each fold predicted, None where it failed.
        metrics: the names, in order.
    """
    rows, pooled = [], _pooled(metrics, scored, plan)
    for name in metrics:
        defined = [
            (s, s.metrics[name].value) for s in scored if s and s.metrics[name].value is not None
        ]
        values = [float(value) for _, value in defined if value is not None]
        bounds = _bounds(name, values, [s for s, _ in defined], dataset, plan)
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


def _bounds(
    name: str,
    values: list[float],
    scored: list[ScoredPredictions],
    dataset: Dataset,
    plan: FoldPlan,
) -> Interval:
    if len(values) < len(plan.folds):
        return Interval(
            None, None, f"none: only {len(values)} of {len(plan.folds)} folds have a value"
        )
    sizes = [(fold.n_train, fold.n_test) for fold in plan.folds]
    binary = dataset.task == "binary"
    folds = [
        ScoredFold(
            *size,
            positive=s.predictions.truth == 1 if binary else None,
            scores=s.predictions.scores[:, 0] if binary else None,
        )
        for size, s in zip(sizes, scored, strict=True)
    ]
    return interval(name, values, folds, plan.method, plan.repeats)


def _pooled(
    metrics: tuple[str, ...], scored: Sequence[ScoredPredictions | None], plan: FoldPlan
) -> dict[str, float | None]:
    """Return each metric on a repeat's test rows together, as the mean over repeats."""
    values: dict[str, list[float | None]] = {name: [] for name in metrics}
    for repeat in range(plan.repeats):
        of_repeat = [s for s, fold in zip(scored, plan.folds, strict=True) if fold.repeat == repeat]
        parts = [s.predictions for s in of_repeat if s is not None]
        if len(parts) < len(of_repeat):
            return dict.fromkeys(metrics)
        pooled = Predictions(
            truth=np.concatenate([part.truth for part in parts]),
            predicted=np.concatenate([part.predicted for part in parts]),
            scores=np.concatenate([part.scores for part in parts]),
            classes=parts[0].classes,
        )
        for name in metrics:
            values[name].append(measure(name, pooled).value)
    return {name: _mean(found) for name, found in values.items()}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
