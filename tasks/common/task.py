"""The kinds of tasks: what a model predicts."""

from typing import Literal

Task = Literal["binary", "multiclass", "regression", "multilabel"]


def task_of_each(task: Task) -> Task:
    """Return the task that each target of a task is by itself: one label is a binary task."""
    return "binary" if task == "multilabel" else task
