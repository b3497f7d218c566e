import pyarrow as pa
import pytest

from foldproof.tasks.evaluation import schemas

TEXT, SMALL, COUNT, WHOLE, REAL = pa.string(), pa.int16(), pa.int32(), pa.int64(), pa.float64()
PLACE = {"model": TEXT, "repeat": SMALL, "fold": SMALL}
FOLDS = {
    **PLACE,
    "seed": WHOLE,
    "n_train": WHOLE,
    "n_test": WHOLE,
    "status": TEXT,
    "error": TEXT,
    "epochs_run": COUNT,
    "best_epoch": COUNT,
    "threshold": REAL,
    "accuracy": REAL,
    "roc_auc": REAL,
    "fold_key": TEXT,
    "initial_weights_sha256": TEXT,
    "weights_sha256": TEXT,
    "predictions_sha256": TEXT,
    "certificate": TEXT,
}
HISTORY = {**PLACE, "epoch": COUNT, "metric": TEXT, "value": REAL}
SUMMARY = {
    "model": TEXT,
    "metric": TEXT,
    "n_folds": COUNT,
    "n_planned": COUNT,
    "mean": REAL,
    "std": REAL,
    "ci_low": REAL,
    "ci_high": REAL,
    "ci_method": TEXT,
    "pooled": REAL,
    "estimate": TEXT,
    "var_seed": REAL,
    "var_fold": REAL,
}
EXECUTION = {
    "fold_key": TEXT,
    "attempt": COUNT,
    "device": TEXT,
    "host": TEXT,
    "pid": WHOLE,
    "started_at": pa.timestamp("us", tz="UTC"),
    "seconds_build": REAL,
    "seconds_fit": REAL,
    "seconds_predict": REAL,
    "peak_rss_mib": REAL,
    "numerics": TEXT,
    "cached": pa.bool_(),
}


def predictions(kind, *classes):
    scores = {f"score_{name}": REAL for name in classes}
    return {**PLACE, "row": WHOLE, "y_true": kind, "y_pred": kind, **scores}


@pytest.mark.parametrize(
    ("schema", "columns"),
    [
        (schemas.folds_schema(("accuracy", "roc_auc")), FOLDS),
        (schemas.history_schema(), HISTORY),
        (schemas.summary_schema(), SUMMARY),
        (schemas.execution_schema(), EXECUTION),
        (schemas.predictions_schema("binary", TEXT, ("b", "a")), predictions(TEXT, "b", "a")),
        (schemas.predictions_schema("multiclass", WHOLE, ("0", "1")), predictions(WHOLE, "0", "1")),
        (schemas.predictions_schema("regression", WHOLE, ()), predictions(REAL)),
    ],
)
def test_columns_their_order_and_types_are_the_documented_ones(schema, columns):
    assert list(zip(schema.names, schema.types, strict=True)) == list(columns.items())
    for field in schema:
        assert field.metadata[b"description"].decode().endswith("."), field.name
