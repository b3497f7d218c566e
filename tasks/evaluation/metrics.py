"""The declarations of all metrics; adding a metric means declaring it here.

They are named as scikit-learn names its scorers, and greater is better for each of them.
What scikit-learn has no scorer for has a function here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from foldproof.tasks.common.task import NUMBERS, Task
from foldproof.tasks.evaluation.predictions import Predictions
from foldproof.tasks.folds.outputs import THRESHOLD


@dataclass(frozen=True)
class Metric:
    """The declaration of a metric: its name, aliases, tasks and range.

    Attributes:
        name: the scorer's.
        scores: what it scores: a binary task's `positive` class, `two` classes, two or more
            `classes`, classes in an `order`, `values` of a regression, `masks` of 0 and 1 in an
            array, or `labels`: several a row at once, where each is measured alone.
        lowest: the lowest value that it can have, or None where there is none.
        lowest_of_two: the same for two classes, where that is another value.
        highest: the highest value, or None where there is none; of a `neg_` metric it is 0.
        several: the metric to take for more than two classes.
        aliases: other names that people have for it, in small letters, blanks and hyphens
            written as `_`, without `_score` at the end or `neg_` at the beginning.
        compute: its function, where scikit-learn has no scorer; a ValueError of it says in
            words why the value is undefined.
    """

    name: str
    scores: Literal["positive", "two", "classes", "order", "values", "masks", "labels"]
    lowest: float | None = None
    lowest_of_two: float | None = None
    highest: float | None = 1.0
    several: str | None = None
    aliases: tuple[str, ...] = ()
    compute: Callable[[Predictions], float] | None = None

    def fits(self, task: Task, classes: int) -> bool:
        """Return whether it says something about a task; classes: 0 for a regression.

        An error between class codes is a number, too, but what it says depends on the coding.
        """
        return {
            "positive": task == "binary",
            "two": classes == 2,
            "classes": task not in NUMBERS,
            "order": task == "ordinal",
            "values": task in NUMBERS,
            "masks": task == "array",
            "labels": False,
        }[self.scores] or self.name in USUAL[task]


def _recall_of(side: int, predictions: Predictions) -> float:
    """Return the share of a class's rows that are found: sensitivity (1), specificity (0)."""
    of_side = predictions.truth == side
    if not of_side.any():
        name, rows = [("specificity", "negative"), ("sensitivity", "positive")][side]
        raise ValueError(f"{name} needs {rows} samples in the test rows")
    return float(np.mean(predictions.predicted[of_side] == side))


def _right_among(side: int, predictions: Predictions) -> float:
    """Return the share of the rows predicted as a class that are of it: ppv (1), npv (0)."""
    chosen = predictions.predicted == side
    if not chosen.any():
        name, rows = [("npv", "negative"), ("ppv", "positive")][side]
        raise ValueError(f"{name} needs rows that are predicted as {rows}")
    return float(np.mean(predictions.truth[chosen] == side))


def _agreement(predictions: Predictions) -> float:
    """Return Cohen's kappa of true and predicted labels: 1 is perfect, 0 is by chance."""
    from sklearn.metrics import cohen_kappa_score

    if np.unique([predictions.truth, predictions.predicted]).size == 1:
        raise ValueError("kappa needs a second class among the true or the predicted labels")
    return float(cohen_kappa_score(predictions.truth, predictions.predicted))


def _agreement_in_order(predictions: Predictions) -> float:
    """Return Cohen's kappa with quadratic weights: far-off labels count more."""
    from sklearn.metrics import cohen_kappa_score

    if np.unique([predictions.truth, predictions.predicted]).size == 1:
        raise ValueError("kappa needs a second class among the true or the predicted labels")
    return float(cohen_kappa_score(predictions.truth, predictions.predicted, weights="quadratic"))


def _overlap(kind: Literal["dice", "iou", "accuracy"], predictions: Predictions) -> float:
    """Return how well a mask is met over all elements, where 0.5 and more count as 1."""
    truth, found = predictions.truth >= THRESHOLD, predictions.predicted >= THRESHOLD
    if kind == "accuracy":
        return float(np.mean(truth == found))
    both, either = int(np.sum(truth & found)), int(np.sum(truth | found))
    if not either:
        raise ValueError("an overlap needs elements that are 1, true or predicted")
    return 2 * both / (both + either) if kind == "dice" else both / either


def _with_averages(name: str, *aliases: str) -> Iterator[Metric]:
    """Yield a metric of the positive class, and its averages over all classes."""
    yield Metric(name, "two", 0.0, several=f"{name}_macro", aliases=aliases)
    for average in ("macro", "micro", "weighted"):
        yield Metric(f"{name}_{average}", "classes", 0.0)
    yield Metric(f"{name}_samples", "labels", 0.0)


# In the order in which a form offers them.
METRICS: tuple[Metric, ...] = (
    Metric(
        "roc_auc",
        "two",
        0.0,
        several="roc_auc_ovr",
        aliases=("auc", "auroc", "rocauc", "gini"),
    ),
    Metric(
        "sensitivity",
        "positive",
        0.0,
        several="recall_macro",
        aliases=("sens", "tpr", "true_positive_rate", "hit_rate"),
        compute=partial(_recall_of, 1),
    ),
    Metric(
        "specificity",
        "positive",
        0.0,
        several="recall_macro",
        aliases=("spec", "tnr", "true_negative_rate", "selectivity"),
        compute=partial(_recall_of, 0),
    ),
    Metric(
        "accuracy",
        "classes",
        0.0,
        aliases=("acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"),
    ),
    Metric(
        "balanced_accuracy",
        "classes",
        0.0,
        aliases=("bacc", "bal_acc", "balanced_acc", "uar"),
    ),
    Metric("roc_auc_ovr", "classes", 0.0),
    Metric("neg_root_mean_squared_error", "values", aliases=("rmse",)),
    Metric("neg_mean_absolute_error", "values", aliases=("mae",)),
    Metric("r2", "values", aliases=("rsquared", "r_squared", "r^2")),
    Metric(
        "average_precision",
        "classes",
        0.0,
        several="roc_auc_ovr",
        aliases=("pr_auc", "prauc", "auprc", "aupr", "ap"),
    ),
    *_with_averages("f1", "f", "fscore", "f1score", "f_measure", "dice"),
    *_with_averages("precision"),
    *_with_averages("recall"),
    Metric(
        "ppv",
        "positive",
        0.0,
        several="precision_macro",
        aliases=("positive_predictive_value",),
        compute=partial(_right_among, 1),
    ),
    Metric(
        "npv",
        "positive",
        0.0,
        aliases=("negative_predictive_value",),
        compute=partial(_right_among, 0),
    ),
    Metric("matthews_corrcoef", "classes", -1.0, aliases=("mcc", "matthews", "phi")),
    Metric("kappa", "classes", -1.0, aliases=("cohen_kappa", "cohens_kappa"), compute=_agreement),
    Metric("quadratic_weighted_kappa", "order", -1.0, compute=_agreement_in_order),
    Metric("mask_dice", "masks", 0.0, compute=partial(_overlap, "dice")),
    Metric("mask_iou", "masks", 0.0, compute=partial(_overlap, "iou")),
    Metric("mask_accuracy", "masks", 0.0, compute=partial(_overlap, "accuracy")),
    Metric(
        "neg_log_loss",
        "classes",
        aliases=(
            *("logloss", "cross_entropy", "crossentropy", "binary_crossentropy"),
            *("categorical_crossentropy", "sparse_categorical_crossentropy"),
        ),
    ),
    # The sum over classes, but for two of them one counts.
    Metric("neg_brier_score", "classes", -2.0, lowest_of_two=-1.0, aliases=("brier",)),
    Metric("d2_brier_score", "classes"),
    Metric("d2_log_loss_score", "classes"),
    Metric("roc_auc_ovo", "classes", 0.0),
    Metric("roc_auc_ovo_weighted", "classes", 0.0),
    Metric("roc_auc_ovr_weighted", "classes", 0.0),
    Metric(
        "top_k_accuracy",
        "classes",
        0.0,
        aliases=("top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy"),
    ),
    *_with_averages("jaccard", "iou", "binary_iou", "mean_iou", "one_hot_iou", "one_hot_mean_iou"),
    Metric("positive_likelihood_ratio", "two", 0.0, highest=None),
    Metric("neg_negative_likelihood_ratio", "two"),
    Metric("neg_mean_squared_error", "values", aliases=("mse",)),
    Metric("neg_median_absolute_error", "values", aliases=("medae",)),
    Metric("neg_max_error", "values"),
    Metric("neg_mean_absolute_percentage_error", "values", aliases=("mape",)),
    Metric(
        "neg_mean_squared_log_error", "values", aliases=("msle", "mean_squared_logarithmic_error")
    ),
    Metric("neg_root_mean_squared_log_error", "values", aliases=("rmsle",)),
    Metric("neg_mean_poisson_deviance", "values", aliases=("poisson",)),
    Metric("neg_mean_gamma_deviance", "values"),
    Metric("explained_variance", "values", aliases=("ev",)),
    Metric("d2_absolute_error_score", "values"),
    Metric("adjusted_mutual_info_score", "classes"),
    Metric("adjusted_rand_score", "classes"),
    Metric("completeness_score", "classes"),
    Metric("fowlkes_mallows_score", "classes"),
    Metric("homogeneity_score", "classes"),
    Metric("mutual_info_score", "classes", 0.0, highest=None),
    Metric("normalized_mutual_info_score", "classes"),
    Metric("rand_score", "classes"),
    Metric("v_measure_score", "classes"),
)
USUAL: dict[Task, tuple[str, ...]] = {
    "binary": ("roc_auc", "sensitivity", "specificity"),
    "multilabel": ("roc_auc", "sensitivity", "specificity"),
    "multiclass": ("accuracy", "balanced_accuracy", "roc_auc_ovr"),
    "ordinal": ("quadratic_weighted_kappa", "neg_mean_absolute_error", "accuracy"),
    "regression": ("neg_root_mean_squared_error", "neg_mean_absolute_error", "r2"),
    "count": ("neg_mean_poisson_deviance", "neg_mean_absolute_error", "r2"),
    "array": ("neg_mean_squared_error", "neg_mean_absolute_error"),
}
BY_NAME = {metric.name: metric for metric in METRICS}


def usual_metrics(task: Task) -> tuple[str, ...]:
    """Return the metrics that `metrics: auto` selects."""
    return USUAL[task]


def value_range(name: str, classes: int) -> tuple[float | None, float | None]:
    """Return the lowest and the highest value that a metric can have; None is no end.

    Args:
        name: of the metric; nothing is known of one of the user's.
        classes: of the task; 0 for a regression.
    """
    known = BY_NAME.get(name) or _of_target(name)
    if known is None:
        return None, None
    low = known.lowest_of_two if classes == 2 and known.lowest_of_two else known.lowest
    return low, 0.0 if known.name.startswith("neg_") else known.highest


def _of_target(column: str) -> Metric | None:
    """Return the metric of a column such as roc_auc_TARGET, the one with the longest name."""
    found = [metric for name, metric in BY_NAME.items() if column.startswith(f"{name}_")]
    return max(found, key=lambda metric: len(metric.name), default=None)
