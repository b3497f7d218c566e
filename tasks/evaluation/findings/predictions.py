"""Predictions that say nothing: the same for every row, or of one class only."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from foldproof.tasks.evaluation.findings.types import Check, Evidence, Finding
from foldproof.tasks.evaluation.schemas import target_shape, targets_in

ONE_UNIT = (
    "one softmax unit is always 1: end the model in one sigmoid unit, or in two softmax units"
)
LEARNED_NOTHING = "it learned nothing: look at the features, the learning rate and the loss"
MIN_ROWS = 10  # of a fold, from which equal predictions are no coincidence
ONE_CLASS = "look at train.epochs, or set train.class_weight: balanced"
ONE_CLASS_OF_SEVERAL = "look at train.epochs"


@dataclass(frozen=True)
class _Fold:
    """Facts on a fold's predictions: true classes, the only predicted label, constant scores."""

    place: str
    rows: int
    truths: int
    label: str | None
    constant: bool
    always_one: bool


def uninformative(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on models that predict the same for every row, or one class only."""
    yield from of_predictions(evidence.tables.predictions)


def of_predictions(predictions: pa.Table) -> Iterator[Finding]:
    """Yield what is found in predictions.parquet."""
    if target_shape(predictions.schema):
        return
    if "y_true" in predictions.column_names:
        yield from _of_one(predictions, ONE_CLASS)
    for name in targets_in(predictions.schema):
        for found in _of_one(_columns_of(predictions, name), ONE_CLASS_OF_SEVERAL):
            yield replace(found, message=f"{name}: {found.message}", where=name)


def _columns_of(predictions: pa.Table, target: str) -> pa.Table:
    """Return the predictions of one of several targets, as those of one alone would be."""
    own = {f"{kind}_{target}": kind for kind in ("y_true", "y_pred")} | {
        f"score_{target}": "score_1"
    }
    kept = [name for name in ("repeat", "fold", *own) if name in predictions.column_names]
    return predictions.select(kept).rename_columns([own.get(name, name) for name in kept])


def _of_one(predictions: pa.Table, one_class: str) -> Iterator[Finding]:
    folds = [fold for fold in _folds(predictions) if fold.truths > 1]
    constant = [fold for fold in folds if fold.constant]
    if len(constant) < len(folds):  # few rows may be alike
        constant = [fold for fold in constant if fold.rows >= MIN_ROWS]
    if constant:
        remedy = ONE_UNIT if all(fold.always_one for fold in constant) else LEARNED_NOTHING
        message = f"in {_count(constant, folds)}, every row has the same prediction"
        yield Finding("FP110", message, remedy, severity="error")
        return
    labels = sorted({fold.label for fold in folds if fold.label is not None})
    if labels and all(fold.label is not None for fold in folds):
        message = f"every fold predicts one class only, {' or '.join(map(repr, labels))}"
        yield Finding("FP110", message, one_class, severity="error")


def _count(some: list[_Fold], folds: list[_Fold]) -> str:
    if len(some) == len(folds):
        return "all folds"
    return f"{len(some)} of {len(folds)} folds, such as {some[0].place}"


def _folds(predictions: pa.Table) -> Iterator[_Fold]:
    """Describe each fold's predictions; folds of one row (leave_one_out) are taken together."""
    if not predictions.num_rows:
        return
    scores = [name for name in predictions.column_names if name.startswith("score_")] or ["y_pred"]
    places = predictions.group_by(["repeat", "fold"], use_threads=False).aggregate([])
    keys = ["repeat", "fold"] if places.num_rows < predictions.num_rows else []
    wanted = [("y_true", "count"), ("y_true", "count_distinct")]
    wanted += [("y_pred", "count_distinct"), ("y_pred", "first")]
    wanted += [(name, kind) for name in scores for kind in ("min", "max")]
    found = predictions.group_by(keys, use_threads=False).aggregate(wanted).to_pylist()
    for row in found:
        yield _Fold(
            place=f"{row.get('repeat', 0)}/{row.get('fold', 0)}",
            rows=row["y_true_count"],
            truths=row["y_true_count_distinct"],
            label=str(row["y_pred_first"]) if row["y_pred_count_distinct"] == 1 else None,
            constant=all(row[f"{name}_min"] == row[f"{name}_max"] for name in scores),
            always_one=len(scores) == 2 and row[f"{scores[-1]}_min"] == 1.0,
        )


CHECKS: tuple[Check, ...] = (uninformative,)
