"""What a mean would be if the folds that failed had been as bad as can be."""

import pyarrow as pa

from foldproof.tasks.evaluation.metrics import BY_NAME


def lowest(metric: str, classes: int) -> float | None:
    """Return the lowest value that a metric can have, or None where there is none.

    Args:
        metric: its name.
        classes: of the task; 0 for a regression.
    """
    known = BY_NAME.get(metric)
    if known is None:
        return None
    return known.lowest_of_two if classes == 2 and known.lowest_of_two else known.lowest


def worst_case_mean(folds: pa.Table, metric: str, classes: int) -> float | None:
    """Return the mean over finished folds and, at their lowest, failed ones.

    Args:
        folds: as in folds.parquet.
        metric: a column of it.
        classes: of the task.

    Returns:
        None where nothing failed, or where the metric has no lowest value.
    """
    failed = int(folds["status"].to_pylist().count("failed"))
    bound = lowest(metric, classes)
    if not failed or bound is None:
        return None
    values = [float(value) for value in folds[metric].to_pylist() if value is not None]
    return (sum(values) + failed * bound) / (len(values) + failed)


def classes_of(predictions: pa.Schema) -> int:
    """Return how many classes a table of predictions has scores for."""
    return sum(name.startswith("score_") for name in predictions.names)
