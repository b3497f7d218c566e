"""Compute a metric from stored predictions as scikit-learn does, or say why it is undefined."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.task import NUMBERS, Task
from foldproof.tasks.common.text import error_line
from foldproof.tasks.evaluation.metrics import BY_NAME
from foldproof.tasks.evaluation.own_metrics import is_own_metric, own_metric
from foldproof.tasks.evaluation.predictions import Predictions
from foldproof.tasks.folds.outputs import Scores
from foldproof.tasks.user_code.objects.functions import is_function_object
from foldproof.tasks.user_code.objects.kept_objects import kept_object


@dataclass(frozen=True)
class MetricValue:
    """The value of a metric, or the reason why it is undefined."""

    value: float | None
    reason: str = ""


def compute_metric(name: str, predictions: Predictions) -> MetricValue:
    """Compute a metric as scikit-learn does, or give the reason why it is undefined."""
    from sklearn.exceptions import UndefinedMetricWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = _score(name, predictions)
        except ValueError as error:
            if isinstance(error, InputError):
                raise
            return MetricValue(None, _first_sentence(str(error)))
        except Exception as error:
            if not is_own(name):
                raise
            return MetricValue(
                None, error_line(error)
            )  # the user's own code: anything can come out
    undefined = [str(w.message) for w in caught if issubclass(w.category, UndefinedMetricWarning)]
    if undefined or not np.isfinite(value):
        reason = undefined[0] if undefined else "the value is not finite"
        return MetricValue(None, _undefined_reason(reason, predictions.classes))
    return MetricValue(float(value))


def compute_metrics(names: Iterable[str], predictions: Predictions) -> dict[str, MetricValue]:
    """Compute metrics by the names of their columns: of several targets, the mean and each.

    The mean is undefined where a target's value is: one over fewer targets is another quantity.
    """
    found: dict[str, MetricValue] = {}
    for name in names:
        if not predictions.targets:
            found[name] = compute_metric(name, predictions)
            continue
        each = [compute_metric(name, predictions.of(i)) for i in range(len(predictions.targets))]
        found[name] = _mean(each, predictions.targets)
        found |= dict(zip(columns_of(name, predictions.targets)[1:], each, strict=True))
    return found


def columns_of(name: str, targets: Sequence[str]) -> list[str]:
    """Return the columns of a metric: its own, and one for each of several targets."""
    return [name, *(f"{name}_{target}" for target in targets)]


def _mean(each: Sequence[MetricValue], targets: Sequence[str]) -> MetricValue:
    for one, target in zip(each, targets, strict=True):
        if one.value is None:
            return MetricValue(None, f"{target}: {one.reason}")
    return MetricValue(float(np.mean([one.value for one in each])))


def _score(name: str, predictions: Predictions) -> float:
    if predictions.truth.ndim > 1 and not is_own(name):
        predictions = predictions.flat()
    known = BY_NAME.get(name)  # a foreign report may name another
    if known is not None and known.compute is not None:
        return known.compute(predictions)
    scorer = _own_scorer(name) if is_own(name) else _scorer(name)
    rows = np.arange(len(predictions.truth)).reshape(-1, 1)
    return float(scorer(_stored(predictions), rows, predictions.truth))


def is_own(name: str) -> bool:
    """Return whether a metric is the user's: an object of this process, or an import path."""
    return is_function_object(name) or is_own_metric(name)


def greater_is_better(name: str) -> bool:
    """Return whether greater values of a metric are better; one of the user's may state it.

    Raises:
        InputError: it states something else than true or false.
    """
    stated = getattr(_own_scorer(name), "greater_is_better", True) if is_own(name) else True
    if not isinstance(stated, bool):
        problem = f"{name.partition('@')[0]} states greater_is_better = {stated!r:.60}"
        raise InputError("metrics", f"{problem}; state True or False")
    return stated


def is_computable(name: str) -> bool:
    """Return whether a metric can be computed without an import of the user's code."""
    return not is_own_metric(name) or own_metric(name) is not None


def _own_scorer(name: str) -> Any:
    if is_function_object(name):
        return kept_object("metrics", name)
    scorer = own_metric(name)
    if scorer is None:
        raise InputError("metrics", f"{name} was not imported, so it cannot be computed")
    return scorer


def try_own(name: str, task: Task, classes: int) -> None:
    """Try a scorer or function of the user's on a few made-up predictions of the task.

    Raises:
        InputError: it fails, returns no number, or does not say which values are better.
    """
    greater_is_better(name)
    with warnings.catch_warnings(action="ignore"):
        try:
            _score(name, _made_up(task, classes))
        except InputError:
            raise
        except Exception as error:  # the user's own code: anything can come out
            codes = "1 for the positive class" if task == "binary" else "0, 1, 2 and so on"
            hint = f"; it is given classes as {codes}" if classes else ""
            problem = f"{name.partition('@')[0]} fails on a {task} task ({error_line(error)})"
            setting = "metrics" if is_own_metric(name) else "scoring"
            raise InputError(setting, f"{problem}{hint}") from None


def _made_up(task: Task, classes: int) -> Predictions:
    codes = np.arange(4 * max(classes, 2)) % max(classes, 2)
    if task == "array":
        values = (1 + codes / 2).reshape(-1, 1, 1).repeat(2, axis=1).repeat(2, axis=2)
        return Predictions(values, values, values.reshape(len(values), -1), 0)
    if task in NUMBERS:
        values = 1 + codes / 2
        return Predictions(values, values, values.reshape(-1, 1), 0)
    columns = 1 if task == "binary" else classes
    return Predictions(codes, codes, np.full((len(codes), columns), 1 / classes), classes)


@cache
def _scorer(name: str) -> Any:
    from sklearn.metrics import get_scorer

    return get_scorer(name)


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


def _undefined_reason(warning: str, classes: int) -> str:
    """Return why a value is undefined, from scikit-learn's warning without its substitute."""
    what, told, _ = warning.partition(" and being set to ")
    if not told:
        return _first_sentence(warning)
    one = "one of the classes" if classes > 2 else "the positive class"
    if "predicted" not in warning:
        return f"{what}: no test row is of {one}"
    return f"{what}: no test row {'is of or ' if 'true' in warning else ''}was predicted as {one}"


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).split(". ")[0].rstrip(".")
