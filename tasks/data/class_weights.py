"""Class weights that the user sets: found among the labels of the data, and checked."""

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.task import Task
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.data.labels import weights_of
from foldproof.tasks.data.target import Label


def with_labels(train: TrainSpec, labels: tuple[Label, ...]) -> TrainSpec:
    """Return the training settings with class weights by the text of the data's own labels.

    Raises:
        InputError: the weights do not fit the labels.
    """
    if not isinstance(train.class_weight, dict):
        return train
    weights = weights_of(train.class_weight, labels)
    by_text = {str(label): weight for label, weight in weights.items()}
    return train.model_copy(update={"class_weight": by_text})


def check_sampler(
    train: TrainSpec, labels: tuple[Label, ...], weighted: bool, task: Task = "regression"
) -> None:
    """Refuse a sampler where there are no classes, or where rows have weights of their own.

    Raises:
        InputError: with the reason.
    """
    if train.sampler is None:
        return
    if not labels:
        raise InputError("train.sampler", f"{_without_classes(task)}; leave it out")
    if weighted:
        problem = "rows that it makes up would have no weight (data.weights)"
        raise InputError("train.sampler", f"{problem}; leave one of the two out")


def _without_classes(task: Task) -> str:
    several = "rows of several labels have no one class"
    return several if task == "multilabel" else f"a {task} has no classes"


def check_target_scaler(train: TrainSpec, task: Task) -> None:
    """Refuse to scale what are no numbers.

    Raises:
        InputError: the task has classes or labels.
    """
    if train.target_scaler != "none" and task not in ("regression", "array"):
        what = {"multilabel": "labels", "count": "counts"}.get(task, "classes")
        problem = f"{train.target_scaler}, but {what} are not scaled; leave it out"
        raise InputError("train.target_scaler", problem)


def check_class_weight(
    train: TrainSpec, labels: tuple[Label, ...], task: Task = "regression"
) -> None:
    """Refuse class weights that do not fit the labels or leave nothing to learn.

    Raises:
        InputError: rows have no classes, or a label has no weight.
    """
    if train.class_weight is None:
        return
    if not labels:
        raise InputError("train.class_weight", f"{_without_classes(task)}; leave it out")
    if train.class_weight == "balanced":
        return
    weights_of(train.class_weight, labels)
    if not any(train.class_weight.values()):
        raise InputError("train.class_weight", "all are zero; give some label a weight")
