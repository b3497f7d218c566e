"""Convert a model's raw output into class scores and predicted labels."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from foldproof.tasks.common.task import NUMBERS, Task

Activation = Literal["none", "sigmoid", "softmax"]
Scores = NDArray[np.float64]

THRESHOLD = 0.5
ENDS: dict[Task, str] = {
    "binary": 'Dense(1, "sigmoid")',
    "multiclass": 'Dense(n_outputs, "softmax")',
    "regression": "Dense(n_outputs)",
    "multilabel": 'Dense(n_outputs, "sigmoid")',
    "ordinal": 'Dense(n_outputs, "softmax")',
    "count": 'Dense(1, "softplus")',
    "array": "the shape of the target",
}


class UnfitOutput(ValueError):
    """A model's output does not fit the task."""


def check_width(width: int, task: Task, outputs: int) -> None:
    """Refuse an output of the wrong width.

    Args:
        width: the model's outputs.
        task: the kind of task.
        outputs: those that a builder is told of.

    Raises:
        UnfitOutput: with what the task needs.
    """
    allowed = (1, 2) if task == "binary" else (outputs,)
    if width not in allowed:
        needs = " or ".join(map(str, allowed))
        count = "1 output" if width == 1 else f"{width} outputs"
        problem = f"the model has {count}, but a {task} task needs {needs}"
        end = "Dense(1)" if task == "regression" and outputs == 1 else ENDS[task]
        raise UnfitOutput(f"{problem}; end it in {end}")


def class_scores(raw: NDArray[np.floating], activation: Activation, task: Task) -> Scores:
    """Return scores from raw output.

    Args:
        raw: (n, outputs), as the model gave it.
        activation: what turns logits into probabilities; none where they are ones.
        task: the kind of task.

    Returns:
        binary: the positive class's score, (n, 1); multiclass: one column a class;
        multilabel: one column a label; numbers: the predicted values, (n, 1) or (n, k). All
        float64, those of an array as float32 holds them, which is what reports keep.

    Raises:
        UnfitOutput: a value is not finite, or a probability outside [0, 1].
    """
    values = raw.astype(np.float64)
    if not np.isfinite(values).all():
        raise UnfitOutput("the model's output for the test rows is not finite")
    if task == "array":
        logits = activation == "sigmoid"
        return (
            (_activate(values, activation) if logits else values).astype(np.float32).astype(float)
        )
    if task in NUMBERS:
        return values
    values = _activate(values, activation)
    if values.min() < 0 or values.max() > 1:
        bounds = f"the output lies in [{values.min():.4g}, {values.max():.4g}], not in [0, 1]"
        remedy = "end the model in sigmoid or softmax, or compile it with from_logits=True"
        raise UnfitOutput(f"{bounds}; {remedy}")
    return values[:, -1:] if task == "binary" else values


def _activate(values: Scores, activation: Activation) -> Scores:
    if activation == "sigmoid":
        # SciPy's expit rounds a quarter of all values otherwise. Here exp is of a negative
        # number only, so that large logits do not overflow.
        small = np.exp(-np.abs(values))
        return np.where(values >= 0, 1 / (1 + small), small / (1 + small))
    return softmax(values, axis=1) if activation == "softmax" else values
