"""The kinds of tasks: what a model predicts."""

from typing import Literal

Task = Literal["binary", "multiclass", "regression", "multilabel", "ordinal", "count", "array"]
CLASSES: tuple[Task, ...] = ("binary", "multiclass", "ordinal")  # a row has one of them
NUMBERS: tuple[Task, ...] = ("regression", "count", "array")  # whose targets are amounts


def task_of_each(task: Task) -> Task:
    """Return the task that each target of a task is by itself: one label is a binary task."""
    return "binary" if task == "multilabel" else task
