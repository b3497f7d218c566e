"""Tables of rows for the page: counts by true and predicted class, and the most wrong rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.text import number
from foldproof.tasks.evaluation.curves.scored import Scored

MOST_CLASSES = 20  # of a confusion matrix that a page can show
MOST_WRONG = 10


@dataclass(frozen=True)
class ConfusionRow:
    """The test rows of a class: their counts, and shares in percent, by predicted class."""

    label: str
    counts: Sequence[int]
    shares: Sequence[float]


@dataclass(frozen=True)
class WrongRow:
    """A row that its model was far off on.

    Attributes:
        position: of the row in the source, from 0.
        fold: repeat and fold.
        truth, predicted: as people write them.
        measure: the score of the true class, or true minus predicted.
    """

    position: int
    fold: str
    truth: str
    predicted: str
    measure: str


def confusion(scored: Scored | None) -> list[ConfusionRow]:
    """Return the counts; none for a regression, or for more classes than a page can show."""
    if scored is None or not 2 <= len(scored.classes) <= MOST_CLASSES:
        return []
    size = len(scored.classes)
    pairs = np.asarray(scored.truth, int) * size + np.asarray(scored.predicted, int)
    counts = np.bincount(pairs, minlength=size * size).reshape(size, size)
    return [
        ConfusionRow(label, row.tolist(), (100 * row / max(row.sum(), 1)).tolist())
        for label, row in zip(scored.classes, counts, strict=True)
    ]


def most_wrong(scored: Scored | None) -> list[WrongRow]:
    """Return the rows whose true class has the lowest score, or with the largest residual."""
    if scored is None:
        return []
    of_row = _measure(scored)
    errors = np.abs(of_row) if scored.task == "regression" else -of_row
    order = np.lexsort((scored.row, -errors))
    _, first = np.unique(scored.row[order], return_index=True)  # a row once, its worst test
    return [_wrong_row(scored, of_row, int(index)) for index in order[np.sort(first)[:MOST_WRONG]]]


def _measure(scored: Scored) -> NDArray[Any]:
    if scored.task == "regression":
        return np.asarray(scored.truth - scored.predicted)
    return np.asarray(scored.scores[np.arange(len(scored.truth)), scored.truth.astype(int)])


def _wrong_row(scored: Scored, of_row: NDArray[Any], index: int) -> WrongRow:
    repeat, fold = scored.places[int(np.searchsorted(scored.starts, index, side="right")) - 1]
    truth, predicted = (
        scored.classes[int(codes[index])] if scored.classes else number(float(codes[index]))
        for codes in (scored.truth, scored.predicted)
    )
    position = int(scored.row[index])
    return WrongRow(position, f"{repeat}/{fold}", truth, predicted, number(float(of_row[index])))
