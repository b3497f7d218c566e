"""Resolve the metrics of a study by name, and suggest names for unknown ones."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.task import Task, task_of_each
from foldproof.tasks.common.text import nearest
from foldproof.tasks.config.messages import as_list, typed_list
from foldproof.tasks.evaluation.measure import columns_of, is_own, try_own
from foldproof.tasks.evaluation.metrics import BY_NAME, METRICS, usual_metrics
from foldproof.tasks.evaluation.own_metrics import load_own_metrics

SYNONYMS = {alias: metric.name for metric in METRICS for alias in metric.aliases}
WEIGHTED_KAPPA = "kappa counts all errors alike; for weights write your own, as module:function"
WITHOUT_SCORER = {
    "qwk": WEIGHTED_KAPPA,
    "weighted_kappa": WEIGHTED_KAPPA,
    "quadratic_kappa": WEIGHTED_KAPPA,
    "fpr": "use specificity, which is 1 - fpr",
    "fnr": "use sensitivity, which is 1 - fnr",
    **dict.fromkeys(
        ("truepositives", "truenegatives", "falsepositives", "falsenegatives"),
        "count them in predictions.parquet",
    ),
    "loss": "use neg_log_loss for classes, neg_mean_squared_error for numbers",
}
OTHERS = "see sklearn.metrics.get_scorer_names"
OWN = "write your own as module:function of (y_true, y_pred)"
WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
OF_A_CLASS = ("recall", "precision", "sensitivity", "specificity", "f1")
AVERAGES = ("macro", "micro", "weighted", "samples")


def resolve_metrics(
    names: Literal["auto"] | list[str], task: Task, classes: int, targets: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the metrics to compute.

    Args:
        names: the setting.
        task: the kind of task; of several targets, each is measured as one alone would be.
        classes: how many there are; 0 for a regression.
        targets: the names of several targets.

    Raises:
        InputError: a name is unknown or does not fit the task, or two columns have one name.
    """
    if task == "multilabel":
        task, classes = task_of_each(task), 2
    found = _resolved(names, task, classes)
    columns = Counter(column for name in found for column in columns_of(name, targets))
    if double := [column for column, count in columns.items() if count > 1]:
        problem = f"the column {double[0]!r} would stand for two metrics; rename the target"
        raise InputError("data.target", problem)
    return found


def _resolved(names: Literal["auto"] | list[str], task: Task, classes: int) -> tuple[str, ...]:
    if names == "auto":
        return usual_metrics(task)
    load_own_metrics(names)
    for name in names:
        if is_own(name):
            try_own(name, task, classes)
            continue
        if name not in BY_NAME:
            raise InputError("metrics", f"unknown {name!r}; {_remedy(name, task, classes)}")
        _check_fits(name, task, classes)
    return tuple(names)


def _check_fits(name: str, task: Task, classes: int) -> None:
    if not BY_NAME[name].fits(task, classes):
        other, usual = _for_task(name, task), usual_metrics(task)
        instead = "" if other in (name, *usual) else f"; for {name} take {other}"
        problem = f"{name} does not fit a {task} task; the usual ones are {', '.join(usual)}"
        raise InputError("metrics", problem + instead)


def _remedy(name: str, task: Task, classes: int) -> str:
    """Return the remedy for an unknown metric name."""
    if several := as_list(name):
        return typed_list("metrics", [_canonical_name(one, task) or one for one in several])
    other = _canonical_name(name, task)
    if other is None:
        return _without_scorer(name)
    if BY_NAME[other].fits(task, classes):
        return f"use {other}"
    usual = ", ".join(usual_metrics(task))
    return f"{other} does not fit a {task} task; the usual ones are {usual}"


def _canonical_name(name: str, task: Task) -> str | None:
    """Return the scorer name for a common name of a metric, or None if there is none."""
    for plain in (_plain(name), _plain(_with_underscores(name))):  # of BinaryAccuracy, too
        for one in (plain, f"{plain}_score", f"neg_{plain}", SYNONYMS.get(plain, "")):
            if one in BY_NAME:
                return _for_task(one, task)
    return None


def _with_underscores(name: str) -> str:
    """Return the name of one of Keras's classes as people write a function's."""
    return WORD_START.sub("_", name.replace("IoU", "Iou"))


def _without_scorer(name: str) -> str:
    """Return the remedy for the name of a metric that has no scorer."""
    if _plain(name) in WITHOUT_SCORER:
        return WITHOUT_SCORER[_plain(name)]
    close = nearest(name, BY_NAME).strip()
    return close if close.startswith("did") else f"{OTHERS}, or {OWN}"


def _plain(name: str) -> str:
    text = name.strip().lower().replace("-", "_").replace(" ", "_").removesuffix("_score")
    first = text.partition("_")[0]  # of recall_malignant, precision_class_1
    return first if first in OF_A_CLASS and not text.endswith(AVERAGES) else text


def _for_task(name: str, task: Task) -> str:
    """Return the metric of a name, or of several classes where there are more than two."""
    return (BY_NAME[name].several or name) if task in ("multiclass", "ordinal") else name
