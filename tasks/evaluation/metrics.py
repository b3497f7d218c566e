"""Metrics by scikit-learn's scorer names, from stored predictions only."""

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.task import Task
from foldproof.tasks.config.messages import as_list, typed_list
from foldproof.tasks.evaluation.metric_names import for_task, meant, remedy
from foldproof.tasks.folds.outputs import THRESHOLD, Scores

DEFAULTS: dict[Task, tuple[str, ...]] = {
    "binary": ("roc_auc", "sensitivity", "specificity"),
    "multiclass": ("accuracy", "balanced_accuracy", "roc_auc_ovr"),
    "regression": ("neg_root_mean_squared_error", "neg_mean_absolute_error", "r2"),
}
SIDES = {"sensitivity": 1, "specificity": 0}  # the class whose recall it is


@dataclass(frozen=True)
class Predictions:
    """Predictions of some test rows.

    Attributes:
        truth: codes with the positive class last, int64 (n,); or values float64 (n,).
        predicted: the same for what the model says.
        scores: binary: the positive class's, (n, 1); multiclass (n, k); else unused.
        classes: how many classes there are; 0 for a regression.
    """

    truth: NDArray[Any]
    predicted: NDArray[Any]
    scores: Scores
    classes: int


@dataclass(frozen=True)
class Measured:
    """A metric's value, or the reason why it is undefined."""

    value: float | None
    reason: str = ""


def resolve_metrics(
    names: Literal["auto"] | list[str], task: Task, classes: int
) -> tuple[str, ...]:
    """Return the metrics to compute.

    Raises:
        InputError: a name is unknown or does not fit the task.
    """
    if names == "auto":
        return DEFAULTS[task]
    for name in names:
        if name not in SIDES and name not in _scorer_names():
            raise InputError("metrics", f"unknown {name!r}; {_remedy(name, task, classes)}")
        _check_fits(name, task, classes)
    return tuple(names)


def predict_labels(scores: Scores, task: Task) -> NDArray[Any]:
    """Return the predicted code of each row; positive means score >= 0.5.

    Args:
        scores: as `class_scores` returns them.
        task: the kind of task.

    Returns:
        int64 (n,): 1 for positive, or the first maximum; float64 (n,) for a regression.
    """
    if task == "regression":
        return np.asarray(scores[:, 0])
    if task == "binary":
        return np.asarray(scores[:, 0] >= THRESHOLD, dtype=np.int64)
    return np.asarray(np.argmax(scores, axis=1), dtype=np.int64)


def measure(name: str, predictions: Predictions) -> Measured:
    """Compute a metric as scikit-learn does; an undefined one says why it is."""
    from sklearn.exceptions import UndefinedMetricWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = _score(name, predictions)
        except ValueError as error:
            return Measured(None, _first_sentence(str(error)))
    undefined = [str(w.message) for w in caught if issubclass(w.category, UndefinedMetricWarning)]
    if undefined or not np.isfinite(value):
        reason = undefined[0] if undefined else "the value is not finite"
        return Measured(None, _in_words(reason, predictions.classes))
    return Measured(float(value))


def _score(name: str, predictions: Predictions) -> float:
    if name in SIDES:
        return _recall(predictions, SIDES[name], name)
    scorer = _scorer(name)
    rows = np.arange(len(predictions.truth)).reshape(-1, 1)
    return float(scorer(_stored(predictions), rows, predictions.truth))


def _recall(predictions: Predictions, side: int, name: str) -> float:
    of_side = predictions.truth == side
    if not of_side.any():
        raise ValueError(
            f"{name} needs {'positive' if side else 'negative'} samples in the test rows"
        )
    return float(np.mean(predictions.predicted[of_side] == side))


@cache
def _scorer(name: str) -> Any:
    from sklearn.metrics import get_scorer

    return get_scorer(name)


@cache
def _scorer_names() -> tuple[str, ...]:
    from sklearn.metrics import get_scorer_names

    return (*SIDES, *get_scorer_names())


def _stored(predictions: Predictions) -> Any:
    """Return a fitted estimator whose answers are the stored predictions."""
    classifier, regressor = _answer_classes()
    return classifier(predictions) if predictions.classes else regressor(predictions)


@cache
def _answer_classes() -> tuple[type, type]:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

    class Stored(BaseEstimator):  # type: ignore[misc]
        def __init__(self, predictions: Predictions) -> None:
            self.predictions = predictions

        def __sklearn_is_fitted__(self) -> bool:
            return True

        def predict(self, rows: NDArray[Any]) -> NDArray[Any]:
            return np.asarray(self.predictions.predicted[rows[:, 0]])

    class StoredClassifier(ClassifierMixin, Stored):  # type: ignore[misc]
        def __init__(self, predictions: Predictions) -> None:
            super().__init__(predictions)
            self.classes_ = np.arange(predictions.classes)

        def predict_proba(self, rows: NDArray[Any]) -> Scores:
            scores = self.predictions.scores[rows[:, 0]]
            return np.column_stack([1 - scores, scores]) if scores.shape[1] == 1 else scores

    class StoredRegressor(RegressorMixin, Stored):  # type: ignore[misc]
        pass

    return StoredClassifier, StoredRegressor


def _remedy(name: str, task: Task, classes: int) -> str:
    """Say what to type for a name that is unknown."""
    if several := as_list(name):
        known = _scorer_names()
        return typed_list("metrics", [meant(one, known, task) or one for one in several])
    other = meant(name, _scorer_names(), task)
    if other is None:
        return remedy(name, _scorer_names())
    if _fits(other, task, classes):
        return f"use {other}"
    return f"{other} does not fit a {task} task; the usual ones are {', '.join(DEFAULTS[task])}"


def _check_fits(name: str, task: Task, classes: int) -> None:
    if not _fits(name, task, classes):
        other = for_task(name, _scorer_names(), task)
        instead = "" if other in (name, *DEFAULTS[task]) else f"; for {name} take {other}"
        usual = ", ".join(DEFAULTS[task])
        problem = f"{name} does not fit a {task} task; the usual ones are {usual}{instead}"
        raise InputError("metrics", problem)


def _fits(name: str, task: Task, classes: int) -> bool:
    """Try a metric on a few made-up predictions of the task."""
    if name in SIDES:
        return task == "binary"
    if task == "regression":
        return _measures_numbers(name)
    # An error between class codes is a number, but what it says depends on the coding.
    return _can_score(name, task, classes) and not _measures_numbers(name)


def _can_score(name: str, task: Task, classes: int) -> bool:
    with warnings.catch_warnings(action="ignore"):
        try:
            _score(name, _made_up(task, classes))
        except (ValueError, TypeError, AttributeError):
            return False
    return True


def _measures_numbers(name: str) -> bool:
    """Tell whether a metric is for values; clustering's take them too, but warn of it."""
    with warnings.catch_warnings(action="error"):
        try:
            _score(name, _made_up("regression", 0))
        except (ValueError, TypeError, AttributeError, UserWarning):
            return False
    return True


def _made_up(task: Task, classes: int) -> Predictions:
    codes = np.arange(4 * max(classes, 2)) % max(classes, 2)
    if task == "regression":
        values = 1 + codes / 2
        return Predictions(values, values, values.reshape(-1, 1), 0)
    columns = 1 if task == "binary" else classes
    return Predictions(codes, codes, np.full((len(codes), columns), 1 / classes), classes)


def _in_words(warning: str, classes: int) -> str:
    """Say why a value is undefined, without what scikit-learn would put in its place."""
    what, told, _ = warning.partition(" and being set to ")
    if not told:
        return _first_sentence(warning)
    one = "one of the classes" if classes > 2 else "the positive class"
    if "predicted" not in warning:
        return f"{what}: no test row is of {one}"
    return f"{what}: no test row {'is of or ' if 'true' in warning else ''}was predicted as {one}"


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).split(". ")[0].rstrip(".")
