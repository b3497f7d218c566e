"""Wilson's score interval of a proportion, from pooled counts.

Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22;
compared in Newcombe (1998), Statistics in Medicine 17, 857.
"""

import math

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

    z2 = float(stats.norm.ppf((1 + level) / 2)) ** 2
    middle = right + z2 / 2
    half = math.sqrt(z2 * (right * (n - right) / n + z2 / 4))
    low, high = (middle - half) / (n + z2), (middle + half) / (n + z2)
    return (0.0 if right == 0 else low), (1.0 if right == n else high)


METHOD = IntervalMethod("wilson", applies, by_counts("Wilson", bounds))
