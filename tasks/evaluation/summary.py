"""Summarise the folds' metrics: one row per metric, with an interval and its method."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from foldproof.tasks.data.dataset import GROUPS, Dataset
from foldproof.tasks.evaluation import schemas
from foldproof.tasks.evaluation.intervals.choose import LEVEL, interval
from foldproof.tasks.evaluation.intervals.types import Interval, MetricByFold, TestedFold, none
from foldproof.tasks.evaluation.measure import MetricValue, columns_of, compute_metrics
from foldproof.tasks.evaluation.predictions import Predictions
from foldproof.tasks.folds.split.plan import Fold, FoldPlan
from foldproof.tasks.folds.split.splitters import base_method

Metrics = Mapping[str, MetricValue]
Read = Callable[[slice], Predictions]  # by places in the table of all folds' predictions


@dataclass(frozen=True)
class ScoredPredictions:
    """A finished fold's predictions and its metrics."""

    predictions: Predictions
    metrics: Metrics


@dataclass(frozen=True)
class IntervalSettings:
    """How intervals are computed.

    Attributes:
        level: such as 0.95.
        wanted: the name of a method, taken wherever its conditions hold; or auto.
        seed: what random draws start from.
    """

    level: float = LEVEL
    wanted: str = "auto"
    seed: int = 0


def summarise(
    model: str,
    dataset: Dataset,
    plan: FoldPlan,
    measured: Sequence[Metrics | None],
    metrics: tuple[str, ...],
    read: Read,
    settings: IntervalSettings = IntervalSettings(),
) -> pa.Table:
    """Return one row per metric: mean, spread, interval and coverage.

    Args:
        model: the builder.
        dataset: for the task.
        plan: the folds, in order.
        measured: the metrics of each fold, None where it failed.
        metrics: the names, in order; of several targets, those of each follow.
        read: returns predictions of finished folds, which lie there in the order of the plan.
        settings: of the intervals.
    """
    is_whole = None not in measured
    folds = _tested_folds(dataset, plan, read) if is_whole else []
    columns = [(name, *each) for name in metrics for each in _columns(name, dataset.targets)]
    pooled = _pooled(metrics, plan, read) if is_whole else {}
    rows = []
    for metric, name, place in columns:
        found = [None if each is None else each[name].value for each in measured]
        own = folds if place is None else [fold.of(place) for fold in folds]
        parts = (base_method(plan.method), plan.repeats, settings.seed)
        given = MetricByFold(metric, found, pooled.get(name), own, *parts)
        rows.append({"model": model, "metric": name, **_row(given, _interval(given, settings))})
    return pa.Table.from_pylist(rows, schema=schemas.summary_schema())


def _row(given: MetricByFold, bounds: Interval) -> dict[str, float | int | str | None]:
    values = given.known
    return {
        "n_folds": len(values),
        "n_planned": len(given.values),
        "mean": float(np.mean(values)) if values else None,
        "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "ci_low": bounds.low,
        "ci_high": bounds.high,
        "ci_method": bounds.method,
        "pooled": given.pooled,
        "estimate": bounds.estimate,
    }


def _columns(metric: str, targets: Sequence[str]) -> list[tuple[str, int | None]]:
    """Return the columns of a metric, and which of several targets each is of; None: the mean."""
    names = columns_of(metric, targets)
    return list(zip(names, [None, *range(len(targets))], strict=True))


def _interval(given: MetricByFold, settings: IntervalSettings) -> Interval:
    if not given.folds:
        counts = f"{len(given.known)} of {len(given.values)}"
        return none(f"only {counts} folds have a value")
    return interval(given, settings.level, settings.wanted)


def _tested_folds(dataset: Dataset, plan: FoldPlan, read: Read) -> list[TestedFold]:
    """Return what intervals need of each fold: its sizes, predictions and groups."""
    groups = dataset.array(GROUPS)
    found = []
    for fold, places in zip(plan.folds, _places(plan.folds), strict=True):
        own = None if groups is None else groups[np.load(fold.test_path)]
        found.append(TestedFold(fold.n_train, fold.n_test, read(places), own, fold.repeat))
    return found


def _places(folds: Sequence[Fold]) -> list[slice]:
    """Return where the predictions of each fold lie among those of all."""
    ends = np.cumsum([fold.n_test for fold in folds]).tolist()
    return [slice(end - fold.n_test, end) for fold, end in zip(folds, ends, strict=True)]


def _pooled(metrics: tuple[str, ...], plan: FoldPlan, read: Read) -> dict[str, float | None]:
    """Return each metric on a repeat's test rows together, as the mean over repeats."""
    values: dict[str, list[float | None]] = {}
    places = _places(plan.folds)
    for repeat in range(plan.repeats):
        own = [p for p, fold in zip(places, plan.folds, strict=True) if fold.repeat == repeat]
        together = read(slice(own[0].start, own[-1].stop))  # the repeats lie one after the other
        for name, found in compute_metrics(metrics, together).items():
            values.setdefault(name, []).append(found.value)
    return {name: _mean(each) for name, each in values.items()}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if len(known) == len(values) else None
