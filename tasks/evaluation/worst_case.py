"""The worst-case mean of a metric: failed folds count with its lowest possible value."""

import pyarrow as pa

from foldproof.tasks.evaluation.metrics import value_range


def worst_case_mean(folds: pa.Table, metric: str, classes: int) -> float | None:
    """Return the mean over all folds, where failed ones count with the lowest possible value.

    Args:
        folds: as in folds.parquet.
        metric: a column of it.
        classes: of the task.

    Returns:
        None where nothing failed, or where the metric has no lowest value.
    """
    failed = int(folds["status"].to_pylist().count("failed"))
    bound, _ = value_range(metric, classes)
    if not failed or bound is None:
        return None
    values = [float(value) for value in folds[metric].to_pylist() if value is not None]
    return (sum(values) + failed * bound) / (len(values) + failed)


def class_count(predictions: pa.Schema) -> int:
    """Return the number of classes that a table of predictions has scores for.

    Several labels have a score each, and are two classes each.
    """
    if any(name.startswith("y_true_") for name in predictions.names):
        return 2 * any(name.startswith("score_") for name in predictions.names)
    return sum(name.startswith("score_") for name in predictions.names)
