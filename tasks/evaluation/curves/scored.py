"""Predictions of a report as arrays by fold, told from the table's columns alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foldproof.tasks.common.task import Task

SCORE = "score_"


@dataclass(frozen=True)
class FoldScores:
    """A fold's test rows.

    Attributes:
        repeat, fold: which fold.
        truth: codes of classes, int64 (n,); of a regression the values, float64 (n,).
        scores: one column a class (n, k); of a regression the predicted values (n, 1).
    """

    repeat: int
    fold: int
    truth: NDArray[np.float64] | NDArray[np.int64]
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """All predictions of a run.

    Attributes:
        task: binary, multiclass or regression.
        classes: the labels as text, in the order of the scores; of a binary task the positive
            one is the last.
        row: the rows' positions, int64 (n,).
        truth, scores: as those of a fold, of all rows.
        predicted: codes of the predicted classes, or the values.
        starts: where each fold's rows begin, and the end.
        places: (repeat, fold) of each.
    """

    task: Task
    classes: tuple[str, ...]
    row: NDArray[np.int64]
    truth: NDArray[np.float64] | NDArray[np.int64]
    scores: NDArray[np.float64]
    predicted: NDArray[np.float64] | NDArray[np.int64]
    starts: NDArray[np.int64]
    places: tuple[tuple[int, int], ...]

    @property
    def positive(self) -> NDArray[np.bool_]:
        """Which rows of a binary task are positive."""
        return np.asarray(self.truth == 1)

    @property
    def repeats(self) -> int:
        """How many times each row was tested."""
        return len({repeat for repeat, _ in self.places})

    def folds(self) -> Iterator[FoldScores]:
        """Yield each fold's rows, in order."""
        for index, (repeat, fold) in enumerate(self.places):
            part = slice(int(self.starts[index]), int(self.starts[index + 1]))
            yield FoldScores(repeat, fold, self.truth[part], self.scores[part])


def scored_predictions(table: pa.Table) -> Scored | None:
    """Return the predictions of a table; None where there are none, or of another form."""
    if not {"repeat", "fold", "row", "y_true", "y_pred"} <= set(table.column_names):
        return None
    names = [name for name in table.column_names if name.startswith(SCORE)]
    if not table.num_rows or len(names) == 1:
        return None
    classes = tuple(name.removeprefix(SCORE) for name in names)
    truth, predicted = (_values(table[name], classes) for name in ("y_true", "y_pred"))
    if truth is None or predicted is None:
        return None
    scores = [table[name].to_numpy() for name in names] or [predicted]
    starts, places = _divide(table)
    return Scored(
        task="regression" if not classes else "binary" if len(classes) == 2 else "multiclass",
        classes=classes,
        row=table["row"].to_numpy(),
        truth=truth,
        scores=np.column_stack(scores),
        predicted=predicted,
        starts=starts,
        places=places,
    )


def _values(
    column: pa.ChunkedArray, classes: tuple[str, ...]
) -> NDArray[np.float64] | NDArray[np.int64] | None:
    """Return codes of labels, or numbers; None where the column has neither."""
    if classes:
        found = pc.index_in(column.cast(pa.string()), value_set=pa.array(classes, pa.string()))
        return None if found.null_count else np.asarray(found.to_numpy(), np.int64)
    kind = column.type
    is_number = pa.types.is_floating(kind) or pa.types.is_integer(kind)
    return np.asarray(column.to_numpy(), float) if is_number and not column.null_count else None


def _divide(table: pa.Table) -> tuple[NDArray[np.int64], tuple[tuple[int, int], ...]]:
    repeats, folds = (table[name].to_numpy() for name in ("repeat", "fold"))
    changes = (np.diff(repeats) != 0) | (np.diff(folds) != 0)
    begins = np.concatenate([[0], np.flatnonzero(changes) + 1]).astype(np.int64)
    places = tuple((int(repeats[i]), int(folds[i])) for i in begins)
    return np.append(begins, table.num_rows), places
