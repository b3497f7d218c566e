"""Paired tests of two models on the same folds: one method a module.

`paired_tests` chooses the methods whose conditions hold; where none holds, the reason stands
in their place.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.intervals.choose import LEVEL
from foldproof.tasks.evaluation.paired_tests import corrected_t, delong, five_by_two
from foldproof.tasks.evaluation.paired_tests.holm import adjust
from foldproof.tasks.evaluation.paired_tests.types import PairedTest
from foldproof.tasks.folds.splitters import EXCHANGEABLE, PARTITIONS


@dataclass(frozen=True)
class Division:
    """How the rows were divided.

    Attributes:
        method: the split method.
        repeats: how often the rows were divided.
        n_train, n_test: sizes, one a fold.
        grouped: rows belong to groups, such as the patient, and are not independent.
    """

    method: str
    repeats: int
    n_train: tuple[int, ...]
    n_test: tuple[int, ...]
    grouped: bool = False

    @property
    def tests_each_row_once(self) -> bool:
        """Whether every row is a test row of exactly one fold."""
        return self.method in PARTITIONS and self.repeats == 1

    @property
    def is_five_by_two(self) -> bool:
        """Whether it is five repeats of two halves."""
        halves = len(self.n_train) == five_by_two.REPEATS * five_by_two.HALVES
        return self.method in PARTITIONS and self.repeats == five_by_two.REPEATS and halves


@dataclass(frozen=True)
class PooledScores:
    """Two models' out-of-fold scores of the same rows.

    Attributes:
        positive: which rows are, bool (n,).
        first, second: the scores of the positive class, float64 (n,).
    """

    positive: NDArray[np.bool_]
    first: NDArray[np.float64]
    second: NDArray[np.float64]


def paired_tests(
    metric: str,
    first: Sequence[float | None],
    second: Sequence[float | None],
    division: Division,
    pooled: PooledScores | None,
) -> list[PairedTest]:
    """Return every test that may be made of two models, or one without a p-value that says why.

    Args:
        metric: its name; roc_auc of a binary task has a method of its own.
        first: the first model's values, one a planned fold; None where there is none.
        second: the second model's.
        division: how the rows were divided.
        pooled: both models' scores, where the task is binary and all folds of both are done.
    """
    found = [_by_folds(first, second, division)]
    complete = None not in first and None not in second
    if complete and division.is_five_by_two:
        a, b = _known(first), _known(second)
        found += [five_by_two.dietterich(a, b), five_by_two.alpaydin(a, b)]
    if metric == "roc_auc" and pooled is not None and division.tests_each_row_once:
        found.append(_by_rows(pooled, division))
    return found


def _by_rows(pooled: PooledScores, division: Division) -> PairedTest:
    """Return DeLong's test, which is for rows that are independent of each other.

    leave_one_out is left out: a model trained without a row has seen one more of the other
    class, so that even a constant model ranks all rows the wrong way round when pooled.
    """
    if division.method == "leave_one_out":
        return PairedTest("", None, note="none by DeLong: leaving a row out shifts its score")
    if division.grouped:
        return PairedTest("", None, note="none by DeLong: rows of one group are not independent")
    return delong.compare(pooled.positive, pooled.first, pooled.second, LEVEL)


def _by_folds(
    first: Sequence[float | None], second: Sequence[float | None], division: Division
) -> PairedTest:
    """Return the corrected t test, or why there is none."""
    planned = len(division.n_train)
    counts = len(_known(first)), len(_known(second))
    if [value is None for value in first] != [value is None for value in second]:
        reason = f"they cover other folds ({counts[0]} and {counts[1]} of {planned})"
        return PairedTest("", None, note=f"none: {reason}")
    if counts[0] < planned:
        reason = f"only {counts[0]} of {planned} folds have a value"
    elif division.method not in EXCHANGEABLE:
        reason = f"folds of {division.method} are not exchangeable"
    else:
        sizes = float(np.mean(division.n_train)), float(np.mean(division.n_test))
        return corrected_t.compare(_known(first), _known(second), *sizes, LEVEL)
    difference = float(np.mean(np.subtract(_known(first), _known(second)))) if counts[0] else None
    return PairedTest("", difference, note=f"none: {reason}")


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


__all__ = ["Division", "PairedTest", "PooledScores", "adjust", "paired_tests"]
