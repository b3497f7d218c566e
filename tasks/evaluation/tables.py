"""Combine fold results into tables; all metrics are computed here, from stored predictions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.data.target import Label
from foldproof.tasks.data.target_facts import named_positive
from foldproof.tasks.evaluation import schemas
from foldproof.tasks.evaluation.columns import Columns, as_lists, elements
from foldproof.tasks.evaluation.curves.all_curves import all_curves
from foldproof.tasks.evaluation.curves.curve import Curve
from foldproof.tasks.evaluation.curves.scored import Scored, scored_predictions
from foldproof.tasks.evaluation.measure import columns_of, compute_metrics
from foldproof.tasks.evaluation.predictions import Predictions, predict_labels
from foldproof.tasks.evaluation.preprocessing import preprocessing_rows, preprocessing_table
from foldproof.tasks.evaluation.summary import (
    IntervalSettings,
    Metrics,
    ScoredPredictions,
    summarise,
)
from foldproof.tasks.folds.initial_state import FoldStart, certificate, check_distinct
from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.folds.outputs import THRESHOLD, Activation, class_scores
from foldproof.tasks.folds.result import FinishedFold
from foldproof.tasks.folds.split.plan import Fold, FoldPlan
from foldproof.tasks.store.fold_file import read_fold


@dataclass(frozen=True)
class Tables:
    """The tables of a report, from which findings follow.

    Attributes:
        undefined: (repeat, fold, metric, reason) of each value that does not exist.
        failed: how many folds failed.
        positive: the positive label with its count; empty unless the task is binary.
        preprocessing: a row a fold and column; None for data of plain numbers.
    """

    folds: pa.Table
    history: pa.Table
    predictions: pa.Table
    summary: pa.Table
    execution: pa.Table
    undefined: tuple[tuple[int, int, str, str], ...]
    failed: int
    positive: str
    preprocessing: pa.Table | None = None

    @cached_property
    def scored(self) -> Scored | None:
        """The predictions as arrays; None where they are of a form without curves."""
        return scored_predictions(self.predictions)

    @cached_property
    def curves(self) -> tuple[Curve, ...]:
        """Every curve that follows from the predictions and the history."""
        return tuple(all_curves(self.scored, self.history))


def reduce_folds(
    dataset: Dataset,
    plan: FoldPlan,
    jobs: Sequence[FoldJob],
    records: Sequence[FoldRecord],
    metrics: tuple[str, ...],
    intervals: IntervalSettings = IntervalSettings(),
) -> Tables:
    """Combine the folds, in the order of the plan.

    Args:
        dataset: for the true values.
        plan: for the sizes of the folds and the method.
        jobs: one a fold, in that order.
        records: what became of each.
        metrics: the names to compute.
        intervals: how those are computed.

    Raises:
        SharedStart: folds that should differ started from the same weights.
    """
    model = jobs[0].builder.reference
    collected = _FoldByFold(dataset, model, metrics)
    for fold, job, record in zip(plan.folds, jobs, records, strict=True):
        collected.add(fold, job, record)
    check_distinct(collected.starts)
    predictions, measured = collected.predictions.table(), collected.measured
    kept = partial(_kept, dataset, predictions)
    columns = [column for name in metrics for column in columns_of(name, dataset.targets)]
    return Tables(
        folds=pa.Table.from_pylist(collected.rows, schema=schemas.folds_schema(columns)),
        history=collected.history.table(),
        predictions=predictions,
        summary=summarise(model, dataset, plan, measured, metrics, kept, intervals),
        execution=pa.Table.from_pylist(collected.executions, schema=schemas.execution_schema()),
        undefined=tuple(_undefined(plan, measured)),
        failed=sum(record.error is not None for record in records),
        positive=named_positive(dataset.facts),
        preprocessing=preprocessing_table(collected.columns),
    )


class _FoldByFold:
    """The rows of all tables so far, and what is computed from several folds at the end.

    Attributes:
        rows, executions: one a fold.
        predictions, history: several a finished fold.
        measured: the metrics of each fold; None of one that failed.
        starts: what each finished fold started from.
        columns: what each finished fold's preprocessing did, a row a column.
    """

    def __init__(self, dataset: Dataset, model: str, metrics: tuple[str, ...]) -> None:
        self._dataset, self._model, self._metrics = dataset, model, metrics
        self.predictions = Columns(_predictions_schema(dataset))
        self.history = Columns(schemas.history_schema())
        self.rows: list[dict[str, Any]] = []
        self.executions: list[dict[str, Any]] = []
        self.measured: list[Metrics | None] = []
        self.starts: list[FoldStart] = []
        self.columns: list[dict[str, Any]] = []

    def add(self, fold: Fold, job: FoldJob, record: FoldRecord) -> None:
        """Read what is stored of the next fold, and add it."""
        place = {"model": self._model, "repeat": fold.repeat, "fold": fold.fold}
        known = {"seed": job.model_seed, "n_train": fold.n_train, "n_test": fold.n_test}
        finished = None if record.error else read_fold(job.store, job.key)
        result = score_fold(self._dataset, finished, self._metrics) if finished else None
        self.rows.append(place | known | _fold_row(self._dataset, record, finished, result))
        self.executions.append(_execution_row(record, finished))
        self.measured.append(result.metrics if result else None)
        if finished is not None and result is not None:
            _add_predictions(self.predictions, place, self._dataset, finished, result)
            _add_history(self.history, place, finished)
            self.columns += preprocessing_rows(fold.repeat, fold.fold, finished)
            start = (finished.initial, finished.start)
            self.starts.append(FoldStart(fold.repeat, fold.fold, job.model_seed, *start))


def score_fold(
    dataset: Dataset, finished: FinishedFold, metrics: tuple[str, ...]
) -> ScoredPredictions:
    """Return a finished fold's scores, labels and metrics."""
    return score_output(dataset, finished.rows, finished.output, finished.activation, metrics)


def score_output(
    dataset: Dataset,
    rows: NDArray[np.int64],
    raw: NDArray[np.floating],
    activation: Activation,
    metrics: tuple[str, ...],
) -> ScoredPredictions:
    """Return the scores, labels and metrics of a model's raw output for some rows.

    Raises:
        UnfitOutput: it is not finite, or no probability.
    """
    predictions = _predictions(dataset, rows, class_scores(raw, activation, dataset.task))
    return ScoredPredictions(predictions, compute_metrics(metrics, predictions))


def _predictions(
    dataset: Dataset, rows: NDArray[np.int64], scores: NDArray[np.float64]
) -> Predictions:
    predicted = predict_labels(scores, dataset.task)
    return Predictions(
        truth=_true_values(dataset, rows),
        predicted=predicted.reshape(len(rows), *dataset.facts.shape or predicted.shape[1:]),
        scores=scores,
        classes=2 if dataset.task == "multilabel" else len(dataset.labels),
        targets=dataset.targets,
    )


def _kept(dataset: Dataset, table: pa.Table, places: slice) -> Predictions:
    """Return predictions from the table of all, which is the one place that keeps them."""
    part = table.slice(places.start, places.stop - places.start)
    if dataset.task == "array":
        scores = elements(part["y_pred"], len(part)).astype(np.float64)
        return _predictions(dataset, part["row"].chunk(0).to_numpy(), scores)
    names = _score_names(dataset)
    columns = [part[name].chunk(0).to_numpy() for name in names]  # views, not copies
    is_one = dataset.task == "binary" or len(names) == 1  # a positive class, or a value
    scores = columns[-1].reshape(-1, 1) if is_one else np.column_stack(columns)
    return _predictions(dataset, part["row"].chunk(0).to_numpy(), scores)


def _score_names(dataset: Dataset) -> list[str]:
    """Return the columns of predictions that scores, or values, are kept in."""
    if dataset.targets:
        kind = "score" if dataset.task == "multilabel" else "y_pred"
        return [f"{kind}_{name}" for name in dataset.targets]
    return [f"score_{name}" for name in dataset.classes] or ["y_pred"]


def _true_values(dataset: Dataset, rows: NDArray[np.int64]) -> NDArray[Any]:
    """Return codes in the order of `classes`, or the values of a regression."""
    codes: NDArray[Any] = np.asarray(dataset.codes()[rows])
    if dataset.task == "array":
        return np.asarray(codes, np.float64)
    if dataset.task != "binary":
        return codes
    return np.asarray(codes == dataset.labels.index(dataset.classes[1]), dtype=np.int64)


def _fold_row(
    dataset: Dataset,
    record: FoldRecord,
    finished: FinishedFold | None,
    result: ScoredPredictions | None,
) -> dict[str, Any]:
    row: dict[str, Any] = {"status": "failed", "error": record.error, "fold_key": record.key}
    if finished is None or result is None:
        return row
    return row | {
        "status": "ok",
        "epochs_run": finished.epochs_run,
        "best_epoch": finished.best_epoch,
        "threshold": THRESHOLD if dataset.task == "binary" else None,
        **{name: measured.value for name, measured in result.metrics.items()},
        "initial_weights_sha256": finished.initial,
        "weights_sha256": finished.weights,
        "predictions_sha256": finished.predictions,
        "certificate": certificate(finished.start),
    }


def _execution_row(record: FoldRecord, finished: FinishedFold | None) -> dict[str, Any]:
    row = {"fold_key": record.key, "attempt": record.attempt, "device": record.slot}
    execution = vars(finished.execution) if finished else {}
    return row | execution | {"cached": record.cached}


def _predictions_schema(dataset: Dataset) -> pa.Schema:
    text = any(isinstance(label, str) for label in dataset.labels)
    names = tuple(map(str, dataset.classes))
    kind, ids = pa.string() if text else pa.int64(), dataset.ids()
    id_type = None if ids is None else ids.type
    return schemas.predictions_schema(
        dataset.task, kind, names, id_type, dataset.targets, dataset.facts.shape
    )


def _add_predictions(
    columns: Columns,
    place: dict[str, Any],
    dataset: Dataset,
    finished: FinishedFold,
    result: ScoredPredictions,
) -> None:
    predictions = result.predictions
    shown = _of_targets(dataset, predictions) if dataset.targets else _of_one(dataset, predictions)
    ids = dataset.ids()
    named = {} if ids is None else {"id": ids.take(pa.array(finished.rows))}
    columns.add(len(predictions.truth), **place, row=finished.rows, **named, **shown)


def _of_one(dataset: Dataset, predictions: Predictions) -> dict[str, Any]:
    """Return the columns of one target."""
    labels = np.asarray(dataset.classes)
    shown: dict[str, Any] = {"y_true": predictions.truth, "y_pred": predictions.predicted}
    if dataset.task == "array":
        return {name: as_lists(values) for name, values in shown.items()}
    if dataset.labels:
        shown = {name: labels[codes] for name, codes in shown.items()}
    return shown | _score_columns(dataset.classes, predictions.scores)


def _of_targets(dataset: Dataset, predictions: Predictions) -> dict[str, NDArray[Any]]:
    """Return the columns of each of several targets."""
    shown: dict[str, NDArray[Any]] = {}
    for place, name in enumerate(dataset.targets):
        one = predictions.of(place)
        shown |= {f"y_true_{name}": one.truth, f"y_pred_{name}": one.predicted}
        if dataset.task == "multilabel":
            shown[f"score_{name}"] = one.scores[:, 0]
    return shown


def _score_columns(
    classes: tuple[Label, ...], scores: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    if len(classes) == 2 and scores.shape[1] == 1:
        scores = np.column_stack([1 - scores[:, 0], scores[:, 0]])
    return {f"score_{name}": scores[:, i] for i, name in enumerate(classes)}


def _add_history(columns: Columns, place: dict[str, Any], finished: FinishedFold) -> None:
    if finished.history:
        epochs, names, values = zip(*finished.history, strict=True)
        columns.add(len(epochs), **place, epoch=epochs, metric=names, value=np.array(values, float))


def _undefined(
    plan: FoldPlan, measured: Sequence[Metrics | None]
) -> Iterator[tuple[int, int, str, str]]:
    for fold, metrics in zip(plan.folds, measured, strict=True):
        for name, found in (metrics or {}).items():
            if found.value is None:
                yield fold.repeat, fold.fold, name, found.reason
