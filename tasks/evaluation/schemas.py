"""The schemas of the report's tables: names, types and descriptions of the columns."""

import json
import math
from collections.abc import Iterator, Sequence

import pyarrow as pa

from foldproof.tasks.common.task import NUMBERS, Task

TRUTH = "y_true_"  # of one of several targets, before its name
POSITION = "The sample's position from 0, in the source; with data.time, in the order of time."
Column = tuple[str, pa.DataType, str]  # its name, type and meaning

SHAPE = "foldproof.target_shape"  # in the metadata of predictions: that of one sample
FOLD_COLUMNS = [
    ("model", pa.string(), "The builder."),
    ("repeat", pa.int16(), "The repeat, from 0."),
    ("fold", pa.int16(), "The fold within its repeat, from 0."),
]


def folds_schema(metrics: Sequence[str]) -> pa.Schema:
    """Return the schema of folds.parquet: one row a fold.

    Args:
        metrics: the columns of metrics; of several targets, also those of each.
    """
    return described_schema(
        [
            *FOLD_COLUMNS,
            (
                "seed",
                pa.int64(),
                "What keras.utils.set_random_seed got before the model was built.",
            ),
            ("n_train", pa.int64(), "Training rows, early stopping's inner rows included."),
            ("n_test", pa.int64(), "Test rows."),
            ("status", pa.string(), "ok, or failed."),
            ("error", pa.string(), "Why the fold failed, in one line."),
            ("epochs_run", pa.int32(), "Epochs trained; null for estimators."),
            (
                "best_epoch",
                pa.int32(),
                "The epoch whose weights were kept, from 1; early stopping.",
            ),
            ("threshold", pa.float64(), "The score from which a sample counts as positive."),
            *(
                (name, pa.float64(), f"{name} on the test rows; null where undefined.")
                for name in metrics
            ),
            ("fold_key", pa.string(), "SHA-256 of all that the fold's result follows from."),
            (
                "initial_weights_sha256",
                pa.string(),
                "SHA-256 of the weights before the first batch.",
            ),
            ("weights_sha256", pa.string(), "SHA-256 of the trained weights."),
            ("predictions_sha256", pa.string(), "SHA-256 of the raw output for the test rows."),
            ("certificate", pa.string(), "What the model was before its first batch."),
        ]
    )


def history_schema() -> pa.Schema:
    """Return the schema of history.parquet: one row a value."""
    return described_schema(
        [
            *FOLD_COLUMNS,
            ("epoch", pa.int32(), "The epoch, from 1."),
            ("metric", pa.string(), "The value's name, as Keras gives it."),
            ("value", pa.float64(), "The value at the end of the epoch."),
        ]
    )


def predictions_schema(
    task: Task,
    label_type: pa.DataType,
    classes: tuple[str, ...],
    id_type: pa.DataType | None = None,
    targets: tuple[str, ...] = (),
    shape: tuple[int, ...] = (),
) -> pa.Schema:
    """Return the schema of predictions.parquet: one row a test sample of a fold.

    Args:
        task: the kind of task.
        label_type: of the labels, where there are some.
        classes: what score columns are named after.
        id_type: of the samples' ids, if they have some.
        targets: the names of several targets.
        shape: of the target of one sample, if it is an array.
    """
    ids = [] if id_type is None else [("id", id_type, "The sample's id, from data.id.")]
    place = [*FOLD_COLUMNS, ("row", pa.int64(), POSITION), *ids]
    kind = pa.float64() if task in NUMBERS else label_type
    if task == "array":
        kind = pa.list_(pa.float32(), math.prod(shape))
    if targets:
        return described_schema([*place, *_target_columns(task, targets)])
    told = described_schema(
        [
            *place,
            ("y_true", kind, "The target."),
            ("y_pred", kind, "What the model predicts."),
            *((f"score_{name}", pa.float64(), f"The score of class {name}.") for name in classes),
        ]
    )
    return told.with_metadata({SHAPE: json.dumps(list(shape))}) if shape else told


def target_shape(predictions: pa.Schema) -> tuple[int, ...]:
    """Return the shape of an array that is predicted; else nothing."""
    said = (predictions.metadata or {}).get(SHAPE.encode())
    return tuple(json.loads(said)) if said else ()


def targets_in(predictions: pa.Schema) -> list[str]:
    """Return the names of several targets that a table of predictions has columns of."""
    return [name.removeprefix(TRUTH) for name in predictions.names if name.startswith(TRUTH)]


def _target_columns(task: Task, targets: tuple[str, ...]) -> Iterator[Column]:
    """Yield the columns of each of several targets."""
    kind = pa.int64() if task == "multilabel" else pa.float64()
    for name in targets:
        yield f"{TRUTH}{name}", kind, f"The target {name}."
        yield f"y_pred_{name}", kind, f"What the model predicts of {name}."
        if task == "multilabel":
            yield f"score_{name}", pa.float64(), f"The score of {name} being true."


def summary_schema() -> pa.Schema:
    """Return the schema of summary.parquet: one row a metric."""
    return described_schema(
        [
            FOLD_COLUMNS[0],
            ("metric", pa.string(), "The metric."),
            ("n_folds", pa.int32(), "Folds in which it has a value."),
            ("n_planned", pa.int32(), "Folds that were planned."),
            ("mean", pa.float64(), "Mean over those folds."),
            ("std", pa.float64(), "Standard deviation over those folds (ddof 1); descriptive."),
            ("ci_low", pa.float64(), "Lower bound of the confidence interval."),
            ("ci_high", pa.float64(), "Upper bound of the confidence interval."),
            ("ci_method", pa.string(), "The interval's method, or why there is none."),
            ("pooled", pa.float64(), "The metric on all test rows at once, mean over repeats."),
            ("estimate", pa.string(), "What the interval is around: mean, or pooled."),
            ("var_seed", pa.float64(), "Variance from the initial weights; null for one init."),
            ("var_fold", pa.float64(), "Variance from the folds without it; null for one init."),
        ]
    )


def curves_schema() -> pa.Schema:
    """Return the schema of curves.parquet: one row a point."""
    return described_schema(
        [
            FOLD_COLUMNS[0],
            ("repeat", pa.int16(), "The repeat; null for a mean, or for all rows at once."),
            ("fold", pa.int16(), "The fold; null for a mean, or for all rows at once."),
            ("curve", pa.string(), "roc, pr, calibration, threshold or learning."),
            ("x", pa.float64(), "False positive rate; recall; score; threshold; epoch."),
            ("y", pa.float64(), "True positive rate; precision; share observed; what label says."),
            ("low", pa.float64(), "Lower end of the band: mean minus std; Wilson's, 95 %."),
            ("high", pa.float64(), "Upper end of the band."),
            ("label", pa.string(), "The class that it is about, or the name of y."),
        ]
    )


def execution_schema() -> pa.Schema:
    """Return the schema of execution.parquet: one row a fold's last try."""
    return described_schema(
        [
            ("fold_key", pa.string(), "The fold's key."),
            ("attempt", pa.int32(), "Which try it was, from 1."),
            ("device", pa.string(), "The device slot."),
            ("host", pa.string(), "The machine."),
            ("pid", pa.int64(), "The worker process."),
            ("started_at", pa.timestamp("us", tz="UTC"), "When the try began."),
            ("seconds_build", pa.float64(), "Seconds to build and compile the model."),
            ("seconds_fit", pa.float64(), "Seconds to train it."),
            ("seconds_predict", pa.float64(), "Seconds to predict the test rows."),
            ("peak_rss_mib", pa.float64(), "The worker's peak memory so far, MiB."),
            ("numerics", pa.string(), "Digest of the numerics fingerprint that it trained with."),
            ("cached", pa.bool_(), "Taken from the store by this command."),
        ]
    )


def described_schema(columns: Sequence[Column]) -> pa.Schema:
    """Return a schema of (name, type, what the column means)."""
    return pa.schema(
        [pa.field(name, kind, metadata={"description": text}) for name, kind, text in columns]
    )
