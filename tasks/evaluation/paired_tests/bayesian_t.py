"""The Bayesian correlated t test: how probable it is that a model is better, by more than a trifle.

The posterior of the mean difference is a t distribution with J - 1 degrees of freedom around the
mean, its squared scale s2 * (1 / J + rho / (1 - rho)) with rho = n_test / (n_train + n_test).

Corani, Benavoli (2015), A Bayesian approach for comparing cross-validated algorithms on multiple
data sets, Machine Learning 100; Benavoli et al. (2017), Time for a change, JMLR 18.
"""

import math
from collections.abc import Sequence

import numpy as np

from foldproof.tasks.evaluation.paired_tests.types import (
    Pair,
    PairedMethod,
    PairedTest,
    differences,
)
from foldproof.tasks.folds.split.splitters import EXCHANGEABLE

NAME = "Bayesian correlated t"


def compare(
    first: Sequence[float],
    second: Sequence[float],
    n_train: float,
    n_test: float,
    level: float,
    rope: float,
) -> PairedTest:
    """Return the probabilities of the mean difference above, within and below +-rope.

    Args:
        first: the first model's values, one a fold, two or more.
        second: the second model's on the same folds.
        n_train: training rows of a fold (the mean, where they differ).
        n_test: test rows of a fold (the mean, where they differ).
        level: of the credible interval, such as 0.95.
        rope: the difference that is practically none, 0 or more.
    """
    from scipy import stats

    found = differences(first, second)
    count, mean = len(found), float(np.mean(found))
    if np.ptp(found) == 0:
        return PairedTest(NAME, mean, note="none: all differences are the same")
    rho = n_test / (n_train + n_test)
    scale = math.sqrt(float(np.var(found, ddof=1)) * (1 / count + rho / (1 - rho)))
    posterior = stats.t(count - 1, loc=mean, scale=scale)
    below, above = float(posterior.cdf(-rope)), float(posterior.sf(rope))
    low, high = map(float, posterior.interval(level))
    note = f"practically equal: within {rope:g}; the interval is credible, not of confidence"
    probabilities = above, max(0.0, 1 - above - below), below
    return PairedTest(NAME, mean, low, high, note=note, probabilities=probabilities)


def _tests(pair: Pair, level: float) -> list[PairedTest]:
    division, known = pair.division, pair.known
    planned = len(division.n_train)
    is_whole = len(known[0]) == len(known[1]) == planned > 1
    if not is_whole or division.method not in EXCHANGEABLE or pair.rope is None:
        return []
    sizes = float(np.mean(division.n_train)), float(np.mean(division.n_test))
    return [compare(*known, *sizes, level, pair.rope)]


METHOD = PairedMethod(_tests, order=2)
