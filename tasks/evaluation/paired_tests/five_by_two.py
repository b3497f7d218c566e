"""The 5x2cv tests: five repeats of two halves.

Dietterich (1998), Approximate statistical tests for comparing supervised classification
learning algorithms, Neural Computation 10; Alpaydin (1999), Combined 5x2cv F test, Neural
Computation 11. Both tests are of "no difference" and give no interval.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.paired_tests.types import (
    Pair,
    PairedMethod,
    PairedTest,
    differences,
    without_spread,
)
from foldproof.tasks.folds.split.splitters import PARTITIONS

REPEATS, HALVES = 5, 2
DIETTERICH, ALPAYDIN = "Dietterich 5x2cv t", "Alpaydin 5x2cv F"
FIRST = "t rests on the difference in the very first half alone"
FLAT = "none: both halves of each repeat differ by the same amount, so the variance is zero"


def dietterich(first: Sequence[float], second: Sequence[float]) -> PairedTest:
    """Return t = p_1 / sqrt(mean s2), df = 5, where p_1 is the very first difference.

    Args:
        first: the first model's values by repeat and half, ten of them.
        second: the second model's on the same halves.
    """
    from scipy import stats

    found = _by_repeat(first, second)
    spread = float(np.mean(_variances(found)))
    if spread == 0:
        return _flat(DIETTERICH, found)
    t = float(found[0, 0]) / math.sqrt(spread)
    p = 2 * float(stats.t.sf(abs(t), REPEATS))
    return PairedTest(DIETTERICH, float(found.mean()), statistic=t, p=p, note=FIRST)


def alpaydin(first: Sequence[float], second: Sequence[float]) -> PairedTest:
    """Return F = sum p2 / (2 sum s2), with 10 and 5 degrees of freedom, upper tail.

    Args:
        first: the first model's values by repeat and half, ten of them.
        second: the second model's on the same halves.
    """
    from scipy import stats

    found = _by_repeat(first, second)
    spread = float(np.sum(_variances(found)))
    if spread == 0:
        return _flat(ALPAYDIN, found)
    f = float(np.sum(found**2)) / (2 * spread)
    p = float(stats.f.sf(f, REPEATS * HALVES, REPEATS))
    return PairedTest(ALPAYDIN, float(found.mean()), statistic=f, p=p)


def _by_repeat(first: Sequence[float], second: Sequence[float]) -> NDArray[np.float64]:
    return differences(first, second).reshape(REPEATS, HALVES)


def _variances(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return s2 of each repeat: the squared distances of both halves from their mean."""
    return np.asarray((found[:, 0] - found[:, 1]) ** 2 / 2)


def _flat(method: str, found: NDArray[np.float64]) -> PairedTest:
    if np.ptp(found) == 0:
        return without_spread(method, found)
    return PairedTest(method, float(found.mean()), note=FLAT)


def _tests(pair: Pair, _: float) -> list[PairedTest]:
    """Return both tests where there are five repeats of two halves, and all have a value."""
    division, known = pair.division, pair.known
    is_five = division.method in PARTITIONS and division.repeats == REPEATS
    if is_five and {len(division.n_train), *map(len, known)} == {REPEATS * HALVES}:
        return [dietterich(*known), alpaydin(*known)]
    return []


METHOD = PairedMethod(_tests, order=2)
