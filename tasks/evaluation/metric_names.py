"""Resolve the metrics of a study by name, and suggest names for unknown ones."""

from typing import Literal

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.task import Task
from foldproof.tasks.common.text import nearest
from foldproof.tasks.config.messages import as_list, typed_list
from foldproof.tasks.evaluation.measure import try_kept
from foldproof.tasks.evaluation.metrics import BY_NAME, METRICS, usual_metrics
from foldproof.tasks.user_code.objects.functions import is_function_object

SYNONYMS = {alias: metric.name for metric in METRICS for alias in metric.aliases}
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


def resolve_metrics(
    names: Literal["auto"] | list[str], task: Task, classes: int
) -> tuple[str, ...]:
    """Return the metrics to compute.

    Raises:
        InputError: a name is unknown or does not fit the task.
    """
    if names == "auto":
        return usual_metrics(task)
    for name in names:
        if is_function_object(name):
            try_kept(name, task, classes)
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
    plain = _plain(name)
    for one in (plain, f"{plain}_score", f"neg_{plain}", SYNONYMS.get(plain, "")):
        if one in BY_NAME:
            return _for_task(one, task)
    return None


def _without_scorer(name: str) -> str:
    """Return the remedy for the name of a metric that has no scorer."""
    if ":" in name:
        return "own metrics cannot be named; compute them from predictions.parquet"
    if _plain(name) in WITHOUT_SCORER:
        return WITHOUT_SCORER[_plain(name)]
    close = nearest(name, BY_NAME).strip()
    return close if close.startswith("did") else "see sklearn.metrics.get_scorer_names"


def _plain(name: str) -> str:
    text = name.strip().lower().replace("-", "_").replace(" ", "_").removesuffix("_score")
    first = text.partition("_")[0]  # of recall_malignant, precision_class_1
    return first if first in OF_A_CLASS and not text.endswith(AVERAGES) else text


def _for_task(name: str, task: Task) -> str:
    """Return the metric of a name, or of several classes where there are more than two."""
    return (BY_NAME[name].several or name) if task == "multiclass" else name
