"""The bootstrap over groups, for rows that belong together: patients with several images.

Whole groups are drawn with replacement and keep the fold in which they were tested, so that no
score is compared with one of another fold's model. The interval is that of the draws' quantiles.

Field, Welsh (2007), Bootstrapping clustered data, JRSS B 69; Davison, Hinkley (1997), Bootstrap
Methods and their Application, 3.8.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.intervals.pooled_counts import COUNTED, Rows, is_proportion
from foldproof.tasks.evaluation.intervals.types import (
    Estimate,
    Interval,
    IntervalMethod,
    MetricByFold,
    TestedFold,
    none,
    percent,
)
from foldproof.tasks.evaluation.predictions import Predictions
from foldproof.tasks.evaluation.weighted_auc import ratio, weighted_auc
from foldproof.tasks.folds.seeds import Role, fold_seed

DRAWS = 2000
AT_ONCE = 100  # draws, which bounds the memory
MIN_GROUPS = 10  # of each class that the metric needs
Values = NDArray[np.float64]
Weights = NDArray[np.float64]  # how often each group was drawn, (draws, groups)


@dataclass(frozen=True)
class _Fold:
    """A tested fold, and the place of each row's group among all groups, (n_test,)."""

    tested: TestedFold
    places: NDArray[np.int64]

    def groups_of(self, rows: NDArray[np.bool_]) -> set[int]:
        """Return the groups of some of its rows."""
        return set(self.places[rows].tolist())


def interval(given: MetricByFold, level: float) -> Interval:
    """Return the quantiles of a metric over draws of groups.

    Args:
        given: an AUC or a proportion, of folds with groups.
        level: such as 0.95.
    """
    is_auc = given.metric == "roc_auc"
    estimate: Estimate = "mean" if is_auc else "pooled"
    folds, n_groups = _with_places(given.folds)
    few = min(len(groups) for groups in _groups_by_need(given.metric, folds))
    if few < MIN_GROUPS:
        return none(f"{few} groups have rows that it needs, fewer than {MIN_GROUPS}", estimate)
    of_draws = _mean_auc if is_auc else _shares(COUNTED[given.metric])
    values = _over_draws(of_draws, folds, n_groups, fold_seed(given.seed, 0, 0, Role.BOOTSTRAP))
    tail = (1 - level) / 2
    low, high = map(float, np.quantile(values, [tail, 1 - tail]))
    if low == high:
        return none("all draws of groups have the same value", estimate)
    method = f"{percent(level)} bootstrap of {n_groups} groups, {DRAWS} draws"
    return Interval(low, high, method, estimate)


def _with_places(folds: Sequence[TestedFold]) -> tuple[list[_Fold], int]:
    names = np.concatenate([np.asarray(fold.groups) for fold in folds])
    known, places = np.unique(names, return_inverse=True)
    ends = np.cumsum([fold.n_test for fold in folds])[:-1]
    parts = np.split(places.astype(np.int64), ends)
    return [_Fold(fold, part) for fold, part in zip(folds, parts, strict=True)], len(known)


def _groups_by_need(metric: str, folds: Sequence[_Fold]) -> list[set[int]]:
    """Return which groups have rows of each kind that a metric needs."""
    needs = [COUNTED[metric]] if metric in COUNTED else [_positives, _negatives]
    parts = ([fold.groups_of(need(fold.tested.predictions)) for fold in folds] for need in needs)
    return [set().union(*part) for part in parts]


def _positives(of: Predictions) -> Rows:
    return np.asarray(of.truth == 1)


def _negatives(of: Predictions) -> Rows:
    return np.asarray(of.truth == 0)


def _over_draws(
    of_draws: Callable[[Sequence[_Fold], Weights], Values],
    folds: Sequence[_Fold],
    n_groups: int,
    seed: int,
) -> Values:
    """Return a metric for each draw in which it is defined."""
    generator = np.random.Generator(np.random.PCG64(seed))
    found = []
    for _ in range(DRAWS // AT_ONCE):
        drawn = generator.multinomial(n_groups, np.full(n_groups, 1 / n_groups), AT_ONCE)
        found.append(of_draws(folds, drawn.astype(np.float64)))
    values = np.concatenate(found)
    return values[np.isfinite(values)]


def _shares(counted: Callable[[Predictions], Rows]) -> Callable[..., Values]:
    """Return what computes a pooled proportion for each draw."""

    def of_draws(folds: Sequence[_Fold], weights: Weights) -> Values:
        right, n = np.zeros((2, len(weights)))
        for fold in folds:
            of = fold.tested.predictions
            rows, size = counted(of), weights.shape[1]
            hits = rows & (of.truth == of.predicted)
            n += weights @ np.bincount(fold.places[rows], minlength=size)
            right += weights @ np.bincount(fold.places[hits], minlength=size)
        return ratio(right, n)

    return of_draws


def _mean_auc(folds: Sequence[_Fold], weights: Weights) -> Values:
    """Return the mean of the folds' AUCs for each draw; a fold without a class is left out."""
    aucs = np.array(
        [
            weighted_auc(fold.tested.positive, fold.tested.scores, weights[:, fold.places])
            for fold in folds
        ]
    )
    known = np.isfinite(aucs)
    return ratio(np.where(known, aucs, 0).sum(axis=0), known.sum(axis=0))


def _auc(fold: _Fold, weights: Weights) -> Values:
    """Return the AUC of a fold for each draw; NaN without one of the classes."""
    return weighted_auc(fold.tested.positive, fold.tested.scores, weights[:, fold.places])


def _applies(given: MetricByFold) -> bool:
    is_auc = given.metric == "roc_auc" and given.is_binary and given.is_whole
    is_known = is_auc or (is_proportion(given) and given.pooled is not None)
    return is_known and given.has_groups and given.divides_rows


METHOD = IntervalMethod("bootstrap", _applies, interval, rank=lambda given: 1)
