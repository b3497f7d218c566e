"""Names that people have for metrics, and what to type for them here."""

from collections.abc import Sequence

from foldproof.tasks.common.task import Task
from foldproof.tasks.common.text import nearest

# By the name in small letters, without `_score`, blanks and hyphens written as `_`.
MEANT = {
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "rocauc": "roc_auc",
    "gini": "roc_auc",
    "pr_auc": "average_precision",
    "prauc": "average_precision",
    "auprc": "average_precision",
    "aupr": "average_precision",
    "ap": "average_precision",
    "acc": "accuracy",
    "binary_accuracy": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "bacc": "balanced_accuracy",
    "bal_acc": "balanced_accuracy",
    "balanced_acc": "balanced_accuracy",
    "uar": "balanced_accuracy",
    "f": "f1",
    "fscore": "f1",
    "f1score": "f1",
    "f_measure": "f1",
    "dice": "f1",
    "iou": "jaccard",
    "ppv": "precision",
    "positive_predictive_value": "precision",
    "sens": "sensitivity",
    "tpr": "sensitivity",
    "true_positive_rate": "sensitivity",
    "hit_rate": "sensitivity",
    "spec": "specificity",
    "tnr": "specificity",
    "true_negative_rate": "specificity",
    "selectivity": "specificity",
    "mcc": "matthews_corrcoef",
    "matthews": "matthews_corrcoef",
    "phi": "matthews_corrcoef",
    "logloss": "neg_log_loss",
    "cross_entropy": "neg_log_loss",
    "crossentropy": "neg_log_loss",
    "binary_crossentropy": "neg_log_loss",
    "categorical_crossentropy": "neg_log_loss",
    "sparse_categorical_crossentropy": "neg_log_loss",
    "brier": "neg_brier_score",
    "mae": "neg_mean_absolute_error",
    "mse": "neg_mean_squared_error",
    "rmse": "neg_root_mean_squared_error",
    "mape": "neg_mean_absolute_percentage_error",
    "medae": "neg_median_absolute_error",
    "msle": "neg_mean_squared_log_error",
    "rmsle": "neg_root_mean_squared_log_error",
    "rsquared": "r2",
    "r_squared": "r2",
    "r^2": "r2",
    "ev": "explained_variance",
}
KAPPA = "it has no scorer; matthews_corrcoef allows for chance as well"
WITHOUT_SCORER = {
    "npv": "set data.positive to the other label and use precision",
    "negative_predictive_value": "set data.positive to the other label and use precision",
    "kappa": KAPPA,
    "cohen_kappa": KAPPA,
    "cohens_kappa": KAPPA,
    "qwk": KAPPA,
    "fpr": "use specificity, which is 1 - fpr",
    "fnr": "use sensitivity, which is 1 - fnr",
    "loss": "use neg_log_loss for classes, neg_mean_squared_error for numbers",
}
OF_A_CLASS = ("recall", "precision", "sensitivity", "specificity", "f1")
AVERAGES = ("macro", "micro", "weighted", "samples")
MULTICLASS = {
    "roc_auc": "roc_auc_ovr",
    "sensitivity": "recall_macro",
    "specificity": "recall_macro",
    "average_precision": "roc_auc_ovr",
}


def meant(name: str, known: Sequence[str], task: Task) -> str | None:
    """Return the metric that somebody means by another name, or None.

    Args:
        name: as given.
        known: the names that there are.
        task: the kind of task.
    """
    plain = _plain(name)
    for one in (plain, f"{plain}_score", f"neg_{plain}", MEANT.get(plain, "")):
        if one in known:
            return for_task(one, known, task)
    return None


def remedy(name: str, known: Sequence[str]) -> str:
    """Return what to do about a name that means no metric there is."""
    if ":" in name:
        return "own metrics cannot be named; compute them from predictions.parquet"
    if _plain(name) in WITHOUT_SCORER:
        return WITHOUT_SCORER[_plain(name)]
    close = nearest(name, known).strip()
    return close if close.startswith("did") else "see sklearn.metrics.get_scorer_names"


def _plain(name: str) -> str:
    text = name.strip().lower().replace("-", "_").replace(" ", "_").removesuffix("_score")
    first = text.partition("_")[0]  # of recall_malignant, precision_class_1
    return first if first in OF_A_CLASS and not text.endswith(AVERAGES) else text


def for_task(name: str, known: Sequence[str], task: Task) -> str:
    """Return the metric of a name, or of several classes where there are more than two."""
    if task != "multiclass":
        return name
    averaged = f"{name}_macro"
    return MULTICLASS.get(name) or (averaged if averaged in known else name)
