"""What a mean would be if the folds that failed had been as bad as can be."""

import pyarrow as pa

LOWEST_IS_ZERO = (
    *("accuracy", "balanced_accuracy", "top_k_accuracy", "average_precision"),
    *("roc_auc", "f1", "jaccard", "precision", "recall", "sensitivity", "specificity"),
)
AVERAGED = (
    *("_macro", "_micro", "_samples", "_weighted"),
    *("_ovr", "_ovo", "_ovr_weighted", "_ovo_weighted"),
)


def lowest(metric: str, classes: int) -> float | None:
    """Return the lowest value that a metric can have, or None where there is none.

    Args:
        metric: its name; higher is better, as for all of scikit-learn's scorers.
        classes: of the task; 0 for a regression.
    """
    if metric == "matthews_corrcoef":
        return -1.0
    if metric == "neg_brier_score":  # the sum over classes, but for two of them one counts
        return -1.0 if classes == 2 else -2.0
    names = {metric, *(metric.removesuffix(end) for end in AVERAGED)}
    return 0.0 if names & set(LOWEST_IS_ZERO) else None


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
