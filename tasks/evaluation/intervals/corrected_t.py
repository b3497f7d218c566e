"""The corrected resampled t interval of Nadeau and Bengio, kept within the metric's range.

Folds share training rows, so their values are not independent and the usual t interval is
far too narrow. The correction adds n_test / n_train to 1 / J in the variance of the mean; it is a
heuristic, and conservative for k-fold.

Nadeau, Bengio (2003), Inference for the generalization error, Machine Learning 52;
for repeated k-fold: Bouckaert, Frank (2004), PAKDD. The transformation is our own: the delta
method around the mean, never on the folds' values (a fold with sensitivity 1 has no logit).
"""

import math
from collections.abc import Sequence

import numpy as np

from foldproof.tasks.evaluation.intervals.scales import PLAIN, Scale, is_on_bound, scale_of
from foldproof.tasks.evaluation.intervals.types import (
    Interval,
    IntervalMethod,
    MetricByFold,
    none,
    percent,
)


def interval(
    values: Sequence[float], n_train: float, n_test: float, level: float, scale: Scale = PLAIN
) -> Interval:
    """Return g(mean) +- t * g'(mean) * sqrt(s2 * (1 / J + n_test / n_train)), mapped back by g.

    Args:
        values: one a fold, J of them, at least two; the quantile is of t with J - 1.
        n_train: training rows of a fold (the mean, where they differ).
        n_test: test rows of a fold (the mean, where they differ).
        level: such as 0.95.
        scale: g.
    """
    from scipy import stats

    count = len(values)
    error = math.sqrt(float(np.var(values, ddof=1)) * (1 / count + n_test / n_train))
    half = float(stats.t.ppf((1 + level) / 2, count - 1)) * error
    low, high = scale.around(float(np.mean(values)), half)
    on_scale = f" ({scale.name})" if scale.name else ""
    sizes = f"J={count}, n_train={n_train:g}, n_test={n_test:g}"
    name = f"{percent(level)} Nadeau-Bengio corrected t{on_scale}, {sizes}"
    return Interval(low, high, name)


def _with_mean_sizes(given: MetricByFold, level: float) -> Interval:
    values, classes = given.known, given.folds[0].predictions.classes
    if is_on_bound(float(np.mean(values)), given.metric, classes):
        return none("the mean is at the end of the metric's range")
    if min(values) == max(values):
        return none("all folds have the same value")
    train, test = np.mean([[fold.n_train, fold.n_test] for fold in given.folds], axis=0)
    return interval(values, float(train), float(test), level, scale_of(given.metric, classes))


METHOD = IntervalMethod(
    name="corrected_t",
    applies=lambda given: given.is_exchangeable and given.is_whole,
    compute=_with_mean_sizes,
    rank=lambda given: 0,
)
