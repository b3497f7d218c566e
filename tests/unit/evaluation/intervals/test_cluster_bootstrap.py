"""Draws of whole groups: weighted metrics equal scikit-learn's, and draws follow from the seed."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from foldproof.tasks.evaluation.intervals import cluster_bootstrap
from foldproof.tasks.evaluation.intervals.choose import interval
from foldproof.tasks.evaluation.intervals.types import MetricByFold
from tests.support.tested_folds import ends, scored


def folds_of(n_folds=4, n_groups=10, size=5, seed=0, spread=1.0):
    """Return folds of groups whose rows are alike, more so the larger the spread of groups is."""
    random, found = np.random.default_rng(seed), []
    for fold in range(n_folds):
        groups = np.repeat(np.arange(n_groups), size) + fold * n_groups
        own = np.repeat(random.normal(size=n_groups) * spread, size)
        truth = np.repeat(np.arange(n_groups) % 2, size)
        score = 1 / (1 + np.exp(-(own + truth + random.normal(size=len(own)) * 0.5 - 0.5)))
        found.append(scored((np.round(score, 1), truth), groups=groups))
    return found


def given(metric, folds, seed=0, values=None):
    pooled = 0.7
    return MetricByFold(metric, values or [0.7] * len(folds), pooled, folds, "kfold", 1, seed)


def test_a_weighted_auc_is_scikit_learns_with_its_ties():
    fold = folds_of(1)[0]
    (placed,), n_groups = cluster_bootstrap._with_places([fold])
    weights = np.random.default_rng(1).multinomial(n_groups, np.full(n_groups, 0.1), 50)
    found = cluster_bootstrap._auc(placed, weights.astype(float))
    for drawn, value in zip(weights, found, strict=True):
        rows = drawn[placed.places]
        expected = roc_auc_score(fold.positive, fold.scores, sample_weight=rows)
        assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", ["roc_auc", "sensitivity", "accuracy"])
def test_draws_follow_from_the_seed_alone(metric):
    folds = folds_of()
    first = interval(given(metric, folds))
    assert first == interval(given(metric, folds))
    assert first != interval(given(metric, folds, seed=1))
    low, high = ends(first)
    assert low < high


def test_rows_that_are_alike_make_the_interval_wider():
    folds = folds_of(spread=3.0)
    alone = [
        scored((fold.scores, fold.predictions.truth), groups=np.arange(50) + 50 * i)
        for i, fold in enumerate(folds)
    ]
    alike, independent = (ends(interval(given("accuracy", each))) for each in (folds, alone))
    assert np.diff(alike) > 1.5 * np.diff(independent)


def test_draws_of_one_value_are_no_interval():
    perfect = [
        scored(([0.9] * 12 + [0.1] * 12, [1] * 12 + [0] * 12), groups=np.arange(24) + 24 * i)
        for i in range(2)
    ]
    found = interval(given("sensitivity", perfect))
    assert found.method == "none: all draws of groups have the same value"
