"""The words of a report's page, for readers who got the file by mail."""

from collections.abc import Collection, Iterator

METRICS = {
    "roc_auc": (
        "area under the ROC curve",
        "How often a positive row has a higher score than a negative one; 0.5 is guessing, 1 is "
        "perfect.",
    ),
    "roc_auc_ovr": (
        "area under the ROC curve, one class against the rest",
        "The area under the ROC curve of each class against all others, on average.",
    ),
    "average_precision": (
        "average precision",
        "The area below the precision-recall curve; guessing gives the share of positives.",
    ),
    "sensitivity": ("sensitivity", "The share of positive rows that are called positive."),
    "recall": ("recall", "The same as sensitivity."),
    "specificity": ("specificity", "The share of negative rows that are called negative."),
    "precision": ("precision", "The share of rows called positive that are positive."),
    "ppv": ("positive predictive value", "The same as precision."),
    "npv": (
        "negative predictive value",
        "The share of rows called negative that are negative.",
    ),
    "accuracy": ("accuracy", "The share of rows whose class is predicted right."),
    "balanced_accuracy": (
        "balanced accuracy",
        "The share of right predictions in each class, on average over the classes.",
    ),
    "f1": ("F1 score", "The harmonic mean of precision and recall."),
    "matthews_corrcoef": (
        "Matthews correlation",
        "The correlation of true and predicted classes; 0 is guessing, 1 is perfect.",
    ),
    "neg_brier_score": (
        "Brier score, negated",
        "Minus the mean squared difference of score and truth; 0 is perfect.",
    ),
    "neg_log_loss": (
        "logarithmic loss, negated",
        "The mean logarithm of the score of the true class; 0 is perfect.",
    ),
    "neg_root_mean_squared_error": (
        "root mean squared error, negated",
        "Minus the root of the mean squared difference of true and predicted values; 0 is perfect.",
    ),
    "neg_mean_squared_error": (
        "mean squared error, negated",
        "Minus the mean squared difference of true and predicted values; 0 is perfect.",
    ),
    "neg_mean_absolute_error": (
        "mean absolute error, negated",
        "Minus the mean distance of true and predicted values; 0 is perfect.",
    ),
    "r2": (
        "coefficient of determination",
        "The share of the target's variance that is explained; 1 is perfect, the mean has 0.",
    ),
}

ALWAYS = {
    "cross-validation": "The rows are divided into parts; a model learns from all parts but one "
    "and is tested on that one, for each part in turn.",
    "fold": "One such turn: a new model, its training rows and its test rows.",
    "training rows": "Rows that a model learned from.",
    "test rows": "Rows that a model had not seen, on which it is measured.",
    "mean": "The average over folds.",
    "std": "The standard deviation over folds: how far they lie apart. No error of the mean.",
    "95 % interval": "A range that is meant to hold the true value of such models in 95 of 100 "
    "studies; its method stands beside it.",
    "pooled": "The metric on all test rows at once, rather than on average over folds.",
    "seed": "The number that all randomness is from; the same seed gives the same run.",
    "SHA-256": "A fingerprint of a file or of data: other content has another one.",
    "epoch": "One pass of a training over its rows.",
}
BINARY = {
    "positive class": "The label that the study looks for.",
    "event": "A row of the positive class.",
    "score": "The model's number from 0 to 1 for the positive class.",
    "threshold": "The score from which a row is called positive.",
    "confusion matrix": "The counts of rows by true and by predicted class.",
    "ROC curve": "Sensitivity against false positives, at every threshold.",
    "precision-recall curve": "Precision against recall, at every threshold.",
    "calibration": "Whether, among rows with a score of 0.3, three of ten are positive.",
    "calibration slope": "Below 1 the scores are too extreme, above 1 too cautious.",
    "Brier score": "The mean squared difference of score and truth; 0 is perfect.",
    "decision curve": "Net benefit of acting on the model, against acting on all rows or none.",
    "net benefit": "True positives minus false positives a row, the latter weighted by the odds of "
    "the threshold.",
}
MULTICLASS = {
    "score": "The model's number from 0 to 1 for a class; a row's scores add up to 1.",
    "confusion matrix": BINARY["confusion matrix"],
    "one against the rest": "A class is taken for positive, and all others for negative.",
    "ROC curve": "Share found of a class against false alarms, at every threshold.",
}
REGRESSION = {"residual": "The true value minus the predicted one."}
BY_TASK = {"binary": BINARY, "multiclass": MULTICLASS, "regression": REGRESSION}
REPEATS = {"repeat": "The whole cross-validation once more, with the rows divided anew."}


def metric_words(metric: str) -> str:
    """Return what a metric is called in sentences, with its name."""
    name = metric.partition("@")[0]
    words = METRICS.get(name, (name, ""))[0]
    return name if words == name else f"{words} ({name})"


def glossary(metrics: Collection[str], task: str, repeats: int) -> dict[str, str]:
    """Return the words that a page uses with their meanings, in alphabetical order.

    Args:
        metrics: the names of the run's metrics.
        task: its kind of task; an unknown one has no words of its own.
        repeats: of the split.
    """
    words = ALWAYS | BY_TASK.get(task, {}) | (REPEATS if repeats > 1 else {})
    return dict(sorted({**words, **dict(_metrics(metrics))}.items(), key=_alphabetical))


def _metrics(metrics: Collection[str]) -> Iterator[tuple[str, str]]:
    return ((name, METRICS[name][1]) for name in metrics if name in METRICS)


def _alphabetical(entry: tuple[str, str]) -> str:
    return entry[0].lower()
