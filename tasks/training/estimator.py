"""Train an unfitted scikit-learn estimator on a fold, as scikit-learn itself would."""

import inspect
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.task import NUMBERS, Task
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.training.fold_data import FoldData
from foldproof.tasks.training.seeding import seed_estimator
from foldproof.tasks.training.trained_model import Trained


def check_estimator(
    model: Any, task: Task, weighted: bool, outputs: int = 1, several_inputs: bool = False
) -> None:
    """Refuse an estimator that cannot do the task, or that would get more than one table.

    Raises:
        InputError: with what it lacks.
    """
    from sklearn.base import is_classifier, is_regressor

    name = type(model).__name__
    if several_inputs:
        problem = f"is for models with named inputs, but {name} takes one table"
        raise InputError("data.inputs", f"{problem}; leave it out")
    numbers = task in NUMBERS
    if numbers and not is_regressor(model):
        raise InputError("model.builder", f"{name} is no regressor, but the task is a {task}")
    if not numbers and not is_classifier(model):
        raise InputError("model.builder", f"{name} is no classifier, but the task is {task}")
    if not numbers and not hasattr(model, "predict_proba"):
        remedy = "wrap it in sklearn.calibration.CalibratedClassifierCV"
        raise InputError("model.builder", f"{name} has no predict_proba; {remedy}")
    several = outputs > 1 and task in ("regression", "array", "multilabel")
    if several and not _takes_several(model, task):
        kind = "Regressor" if numbers else "Classifier"
        problem = f"{name} takes one target, but there are {outputs}"
        remedy = f"wrap it in sklearn.multioutput.MultiOutput{kind}"
        raise InputError("model.builder", f"{problem}; {remedy}")
    if weighted and "sample_weight" not in inspect.signature(model.fit).parameters:
        raise InputError("model.builder", f"{name}.fit takes no sample_weight; drop the weights")


def _takes_several(model: Any, task: Task) -> bool:
    from sklearn.utils import get_tags

    tags = get_tags(model)
    multilabel = tags.classifier_tags is not None and tags.classifier_tags.multi_label
    return bool(tags.target_tags.multi_output or (task == "multilabel" and multilabel))


def train_estimator(model: Any, fold_data: FoldData, job: FoldJob, built_in: float) -> Trained:
    """Fit an estimator on labels coded in sorted order, or on float64 values."""
    started = time.perf_counter()
    seed_estimator(model, job.model_seed)
    fit_estimator(model, fold_data)
    scaled = fold_data.scaled
    return Trained(
        predict=lambda test: predict_estimator(model, test, job),
        activation="none",
        history=(),
        epochs_run=None,
        best_epoch=None,
        initial=None,
        weights=None,
        seconds_build=built_in,
        seconds_fit=time.perf_counter() - started,
        target_scaling=scaled.scaling if scaled and scaled.for_estimators else None,
    )


def fit_estimator(model: Any, fold_data: FoldData) -> None:
    """Fit an estimator as it is, seeded or not."""
    features, weights = fold_data.train.features, fold_data.train.weights
    weighted = {} if weights is None else {"sample_weight": weights}
    targets = fold_data.for_estimators()
    flat = targets.reshape(len(targets), -1) if targets.ndim > 2 else targets
    model.fit(features, flat, **weighted)


def predict_estimator(model: Any, test: Any, job: FoldJob) -> NDArray[Any]:
    """Return an estimator's values or class probabilities, the positive class last."""
    if job.builder.task == "multilabel":
        return _label_scores(model, test)
    if not job.labels:
        return np.asarray(model.predict(test)).reshape(test.shape[0], -1)
    scores = np.asarray(model.predict_proba(test))
    if job.positive is None or job.labels[-1] == job.positive:
        return scores
    return np.ascontiguousarray(scores[:, ::-1])  # the positive class comes last


def _label_scores(model: Any, test: Any) -> NDArray[Any]:
    """Return the probability that each label is true, (n, k).

    Some estimators give these; others give a list with the probabilities of 0 and 1 for each
    label, of the one value alone where training rows had no other.
    """
    found = model.predict_proba(test)
    if not isinstance(found, list):
        return np.asarray(found)
    classes = model.classes_
    pairs = zip(found, classes, strict=True)
    return np.column_stack([_of_true(np.asarray(each), known) for each, known in pairs])


def _of_true(scores: NDArray[Any], known: NDArray[Any]) -> NDArray[Any]:
    if len(known) > 1:
        return np.asarray(scores[:, 1])
    return np.full(len(scores), float(known[0]))
