"""Boxes of the form where the type of a setting alone would make poor ones: JSON Schema.

The titles of a choice's branches are the tabs that the form shows.
"""

from collections.abc import Sequence
from typing import Any

from tasks.config import EarlyStopping
from tasks.sources.bundled import NAMES

Shape = dict[str, Any]

# What scikit-learn can score here, the usual ones first; a test compares it with scikit-learn.
METRIC_NAMES = (
    *("roc_auc", "sensitivity", "specificity", "accuracy", "balanced_accuracy", "roc_auc_ovr"),
    *("neg_root_mean_squared_error", "neg_mean_absolute_error", "r2", "average_precision"),
    *("f1", "f1_macro", "f1_micro", "f1_weighted", "precision", "precision_macro"),
    *("precision_micro", "precision_weighted", "recall", "recall_macro", "recall_micro"),
    *("recall_weighted", "matthews_corrcoef", "neg_log_loss", "neg_brier_score"),
    *("d2_brier_score", "d2_log_loss_score", "roc_auc_ovo", "roc_auc_ovo_weighted"),
    *("roc_auc_ovr_weighted", "top_k_accuracy", "jaccard", "jaccard_macro", "jaccard_micro"),
    *("jaccard_weighted", "positive_likelihood_ratio", "neg_negative_likelihood_ratio"),
    *("neg_mean_squared_error", "neg_median_absolute_error", "neg_max_error"),
    *("neg_mean_absolute_percentage_error", "neg_mean_squared_log_error"),
    *("neg_root_mean_squared_log_error", "neg_mean_poisson_deviance"),
    *("neg_mean_gamma_deviance", "explained_variance", "d2_absolute_error_score"),
    *("adjusted_mutual_info_score", "adjusted_rand_score", "completeness_score"),
    *("fowlkes_mallows_score", "homogeneity_score", "mutual_info_score"),
    *("normalized_mutual_info_score", "rand_score", "v_measure_score"),
)


def choice(title: str, names: Sequence[str]) -> Shape:
    """Return a box with a list to choose one name from; the first is chosen already."""
    return {"title": title, "type": "string", "enum": list(names), "default": names[0]}


def named_or_own(names: Sequence[str], kind: str) -> Shape:
    """Return a box for a built-in name or for a class of the user's."""
    own = {"title": f"own {kind}", "type": "string", "pattern": "^[^:]+:[^:]+$"}
    return {"anyOf": [choice("built in", names), own]}


TEXT: Shape = {"type": "string"}
SECONDS: Shape = {"type": "number", "exclusiveMinimum": 0}
MEBIBYTES: Shape = {"type": "integer", "minimum": 256}
OBJECT: Shape = {"type": "object"}  # a box for JSON
COLUMNS: Shape = {"type": "array", "items": {"type": "string"}}
SOURCES: Shape = {
    "anyOf": [choice("bundled", NAMES), {"title": "file or folder", "type": "string"}]
}
WORKERS: Shape = {
    "anyOf": [
        choice("auto", ["auto"]),
        {"title": "number", "type": "integer", "minimum": 1, "default": 1},
    ]
}
METRICS: Shape = {
    "anyOf": [
        choice("auto", ["auto"]),
        {"title": "chosen", "type": "array", "items": {"type": "string", "enum": METRIC_NAMES}},
    ]
}
OFF: Shape = {"title": "off", "type": "null"}
EARLY_STOPPING: Shape = {"anyOf": [OFF, EarlyStopping.model_json_schema() | {"title": "on"}]}
WEIGHTS: Shape = {
    "title": "by label",
    "type": "object",
    "additionalProperties": {"type": "number", "minimum": 0},
}
# A tab of its own for `balanced` would leave its box empty, and so mean nothing.
CLASS_WEIGHTS: Shape = {
    "anyOf": [choice("preset", ["off", "balanced"]), WEIGHTS, {"title": "none", "type": "null"}],
    "default": "off",
}
