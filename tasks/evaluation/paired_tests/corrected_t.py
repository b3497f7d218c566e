"""The corrected resampled t test of Nadeau and Bengio.

Folds share training rows, so the differences of two models are not independent, and the
usual paired t test finds differences far too often. The correction adds n_test / n_train to
1 / J in the variance of the mean.

Nadeau, Bengio (2003), Inference for the generalization error, Machine Learning 52;
for repeated k-fold (J = k * r): Bouckaert, Frank (2004), PAKDD.
"""

import math
from collections.abc import Sequence

import numpy as np

from foldproof.tasks.evaluation.paired_tests.types import (
    Pair,
    PairedMethod,
    PairedTest,
    differences,
    without_spread,
)
from foldproof.tasks.folds.split.splitters import EXCHANGEABLE

NAME = "Nadeau-Bengio corrected t"


def compare(
    first: Sequence[float], second: Sequence[float], n_train: float, n_test: float, level: float
) -> PairedTest:
    """Return t = mean / sqrt(s2 * (1 / J + n_test / n_train)), df = J - 1, with its interval.

    Args:
        first: the first model's values, one a fold, J of them.
        second: the second model's on the same folds.
        n_train: training rows of a fold (the mean, where they differ).
        n_test: test rows of a fold (the mean, where they differ).
        level: of the interval, such as 0.95.
    """
    from scipy import stats

    found = differences(first, second)
    count, mean = len(found), float(np.mean(found))
    if count < 2:
        return PairedTest(NAME, mean, note="none: one fold has no spread; use more")
    if np.ptp(found) == 0:
        return without_spread(NAME, found)
    error = math.sqrt(float(np.var(found, ddof=1)) * (1 / count + n_test / n_train))
    half = float(stats.t.ppf((1 + level) / 2, count - 1)) * error
    p = 2 * float(stats.t.sf(abs(mean) / error, count - 1))
    return PairedTest(NAME, mean, mean - half, mean + half, mean / error, p)


def _tests(pair: Pair, level: float) -> list[PairedTest]:
    """Return the test, or why there is none."""
    division, known = pair.division, pair.known
    planned, counts = len(division.n_train), tuple(map(len, known))
    if [value is None for value in pair.first] != [value is None for value in pair.second]:
        reason = f"they cover other folds ({counts[0]} and {counts[1]} of {planned})"
        return [PairedTest("", None, note=f"none: {reason}")]
    if counts[0] < planned:
        reason = f"only {counts[0]} of {planned} folds have a value"
    elif division.method not in EXCHANGEABLE:
        reason = f"folds of {division.method} are not exchangeable"
    else:
        sizes = float(np.mean(division.n_train)), float(np.mean(division.n_test))
        return [compare(*known, *sizes, level)]
    difference = float(np.mean(np.subtract(*known))) if counts[0] else None
    return [PairedTest("", difference, note=f"none: {reason}")]


METHOD = PairedMethod(_tests, order=1)
