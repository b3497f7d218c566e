"""Notes on a guessed task: how whole numbers in the target were read, and how to change that."""

import numpy as np

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.kinds.bundled import NAMES
from foldproof.tasks.data.target import Target

MAX_CLASSES = 200
MIN_ROWS_PER_CLASS = 3  # of a class, on the average


def guess_notes(spec: DataSpec, target: Target) -> tuple[str, ...]:
    """Return notes for the user on a task that was guessed from the target's values.

    Args:
        spec: the data settings as the user gave them.
        target: what came of it.
    """
    if spec.task != "auto" or spec.source in NAMES or target.names:
        return ()
    if target.task == "multiclass" and all(isinstance(label, int) for label in target.labels):
        labels = target.labels
        told = f"{len(labels)} different whole numbers ({labels[0]} to {labels[-1]})"
        return (f"target: {told} are taken for classes; {_flag('amounts', 'regression')}",)
    if target.task == "regression" and np.all(target.codes == np.floor(target.codes)):
        values = np.unique(target.codes)
        if len(values) <= min(MAX_CLASSES, len(target.codes) // MIN_ROWS_PER_CLASS):
            told = f"{len(values)} different whole numbers ({values[0]:.0f} to {values[-1]:.0f})"
            return (f"target: {told} are taken for amounts; {_flag('classes', 'multiclass')}",)
    return ()


def _flag(what: str, task: str) -> str:
    return f"if they are {what}: --data.task {task}"
