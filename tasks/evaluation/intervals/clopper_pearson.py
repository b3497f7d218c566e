"""Clopper and Pearson's exact interval of a proportion, from pooled counts: never too short.

Clopper, Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the
binomial, Biometrika 26.
"""

from foldproof.tasks.evaluation.intervals.pooled_counts import applies, by_counts
from foldproof.tasks.evaluation.intervals.types import IntervalMethod


def bounds(right: float, n: float, level: float) -> tuple[float, float]:
    """Return both ends, within [0, 1].

    Args:
        right: successes, of n.
        n: rows, at least one.
        level: such as 0.95.
    """
    from scipy import stats

    tail = (1 - level) / 2
    low = 0.0 if right == 0 else float(stats.beta.ppf(tail, right, n - right + 1))
    high = 1.0 if right == n else float(stats.beta.isf(tail, right + 1, n - right))
    return low, high


METHOD = IntervalMethod(
    "clopper_pearson",
    applies,
    by_counts("Clopper-Pearson", bounds),
    rank=lambda given: -1 if given.metric == "accuracy" else 2,
)
