"""Made-up predictions of folds, as the tables of a report hold them."""

import numpy as np
import pyarrow as pa

from foldproof.tasks.evaluation.schemas import history_schema, predictions_schema

LABELS = ("no", "yes")


def binary_table(folds=4, rows=40, repeats=1, seed=0, noise=1.5):
    """Predictions of a binary task, whose positive label is yes."""
    random = np.random.default_rng(seed)
    parts = []
    for place in range(folds * repeats):
        truth = np.arange(rows) % 2
        score = 1 / (1 + np.exp(-(2 * truth - 1 + random.normal(size=rows) * noise)))
        score = np.round(score, 2)  # with ties
        position = place % folds * rows + np.arange(rows)
        parts.append((place, position, truth, score))
    return _table("binary", LABELS, folds, parts)


def multiclass_table(folds=3, rows=60, classes=3, seed=0):
    """Predictions of several classes."""
    random, labels = np.random.default_rng(seed), tuple(f"class {i}" for i in range(classes))
    parts = []
    for place in range(folds):
        truth = np.arange(rows) % classes
        raw = random.random((rows, classes)) + np.eye(classes)[truth]
        position = place * rows + np.arange(rows)
        parts.append((place, position, truth, raw / raw.sum(axis=1, keepdims=True)))
    return _table("multiclass", labels, folds, parts)


def regression_table(folds=3, rows=30, scale=1.0, seed=0):
    """Predictions of numbers."""
    random = np.random.default_rng(seed)
    truth = random.normal(size=folds * rows) * scale
    return pa.table(
        {
            "model": ["m:f"] * len(truth),
            "repeat": np.zeros(len(truth), np.int16),
            "fold": np.repeat(np.arange(folds), rows).astype(np.int16),
            "row": np.arange(len(truth)),
            "y_true": truth,
            "y_pred": truth + random.normal(size=len(truth)) * scale / 2,
        },
        schema=predictions_schema("regression", pa.float64(), ()),
    )


def history_table(folds=3, epochs=5, names=("loss", "val_loss")):
    """A history, whose last fold stopped one epoch earlier."""
    rows = [
        {
            "model": "m:f",
            "repeat": 0,
            "fold": fold,
            "epoch": epoch,
            "metric": name,
            "value": 1.0 / epoch + fold + 10 * index,
        }
        for fold in range(folds)
        for epoch in range(1, epochs + 1 - (fold == folds - 1))
        for index, name in enumerate(names)
    ]
    return pa.Table.from_pylist(rows, schema=history_schema())


def _table(task, labels, folds, parts):
    tables = []
    for place, position, truth, scores in parts:
        by_class = np.column_stack([1 - scores, scores]) if scores.ndim == 1 else scores
        predicted = (scores >= 0.5).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        named = np.array(labels)
        columns = {
            "model": ["m:f"] * len(truth),
            "repeat": np.full(len(truth), place // folds, np.int16),
            "fold": np.full(len(truth), place % folds, np.int16),
            "row": position,
            "y_true": named[truth].tolist(),
            "y_pred": named[predicted].tolist(),
            **{f"score_{label}": by_class[:, i] for i, label in enumerate(labels)},
        }
        tables.append(pa.table(columns, schema=predictions_schema(task, pa.string(), labels)))
    return pa.concat_tables(tables).combine_chunks()
