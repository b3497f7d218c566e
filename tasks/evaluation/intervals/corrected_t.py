"""The corrected resampled t interval of Nadeau and Bengio.

Folds share training rows, so their values are not independent and the usual t interval is
far too narrow. The correction adds n_test / n_train to 1 / J in the variance of the mean.

Nadeau, Bengio (2003), Inference for the generalization error, Machine Learning 52;
for repeated k-fold: Bouckaert, Frank (2004), PAKDD.
"""

import math
from collections.abc import Sequence

import numpy as np

from foldproof.tasks.evaluation.intervals.types import Interval, IntervalMethod, MetricByFold


def interval(values: Sequence[float], n_train: float, n_test: float, level: float) -> Interval:
    """Return mean +- t * sqrt(s2 * (1 / J + n_test / n_train)), with df = J - 1.

    Args:
        values: one a fold, J of them, at least two.
        n_train: training rows of a fold (the mean, where they differ).
        n_test: test rows of a fold (the mean, where they differ).
        level: such as 0.95.
    """
    from scipy import stats

    count = len(values)
    spread = math.sqrt(float(np.var(values, ddof=1)) * (1 / count + n_test / n_train))
    half = float(stats.t.ppf((1 + level) / 2, count - 1)) * spread
    mean = float(np.mean(values))
    sizes = f"J={count}, n_train={n_train:g}, n_test={n_test:g}"
    return Interval(mean - half, mean + half, f"{level:.0%} Nadeau-Bengio corrected t, {sizes}")


def _with_mean_sizes(given: MetricByFold, level: float) -> Interval:
    train, test = np.mean([[fold.n_train, fold.n_test] for fold in given.folds], axis=0)
    return interval(given.values, float(train), float(test), level)


METHOD = IntervalMethod(applies=lambda _: True, compute=_with_mean_sizes)
