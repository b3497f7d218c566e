"""The input of metrics: true and predicted labels and scores of some test rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.task import NUMBERS, Task
from foldproof.tasks.folds.outputs import THRESHOLD, Scores


@dataclass(frozen=True)
class Predictions:
    """Predictions of some test rows.

    Attributes:
        truth: codes with the positive class last, int64 (n,); or values float64 (n,); of an
            array float64 (n, ...).
        predicted: the same for what the model says.
        scores: binary: the positive class's, (n, 1); multiclass (n, k); else unused.
        classes: how many classes there are; 0 for a regression.
        targets: the names of several targets, each a column of the others; empty for one.
    """

    truth: NDArray[Any]
    predicted: NDArray[Any]
    scores: Scores
    classes: int
    targets: tuple[str, ...] = ()

    def of(self, place: int) -> "Predictions":
        """Return those of one of several targets."""
        truth, predicted = self.truth[:, place], self.predicted[:, place]
        return Predictions(truth, predicted, self.scores[:, place : place + 1], self.classes)

    def flat(self) -> "Predictions":
        """Return those of all elements of an array, one after the other."""
        return Predictions(self.truth.ravel(), self.predicted.ravel(), self.scores, self.classes)


def predict_labels(scores: Scores, task: Task) -> NDArray[Any]:
    """Return the predicted code of each row; positive means score >= 0.5.

    Args:
        scores: as `class_scores` returns them.
        task: the kind of task.

    Returns:
        int64 (n,): 1 for positive, or the first maximum; float64 (n,) for a regression. Of
        several targets (n, k).
    """
    if task in NUMBERS:
        return np.asarray(scores if scores.shape[1] > 1 else scores[:, 0])
    if task == "multilabel":
        return np.asarray(scores >= THRESHOLD, dtype=np.int64)
    if task == "binary":
        return np.asarray(scores[:, 0] >= THRESHOLD, dtype=np.int64)
    return np.asarray(np.argmax(scores, axis=1), dtype=np.int64)
