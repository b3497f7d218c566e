"""Intervals of proportions from pooled counts, against published numbers."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from foldproof.tasks.evaluation.intervals import clopper_pearson, wilson
from foldproof.tasks.evaluation.intervals.choose import interval
from foldproof.tasks.evaluation.intervals.pooled_counts import COUNTED, counts
from foldproof.tasks.evaluation.intervals.types import MetricByFold
from foldproof.tasks.evaluation.measure import compute_metric
from tests.support.tested_folds import ends, scored

NEWCOMBE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0, 0.1611), (0, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("right", "n", "score", "exact"), NEWCOMBE)
def test_newcombes_published_intervals(right, n, score, exact):
    assert wilson.bounds(right, n, 0.95) == pytest.approx(score, abs=5e-5)
    assert clopper_pearson.bounds(right, n, 0.95) == pytest.approx(exact, abs=5e-5)


@pytest.mark.parametrize("right", [0, 1, 7, 19, 20])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_scipy_has_the_same_intervals(right, level):
    test = stats.binomtest(right, 20)
    score = test.proportion_ci(level, method="wilson")
    exact = test.proportion_ci(level, method="exact")
    assert wilson.bounds(right, 20, level) == pytest.approx((score.low, score.high), abs=1e-12)
    found = clopper_pearson.bounds(right, 20, level)
    assert found == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_all_right_ends_at_one_and_none_right_at_zero():
    for bounds in (wilson.bounds, clopper_pearson.bounds):
        assert bounds(20, 20, 0.95)[1] == 1.0
        assert bounds(0, 20, 0.95)[0] == 0.0


def folds_of(repeats, seed=0):
    random = np.random.default_rng(seed)
    truth = random.permutation([1] * 12 + [0] * 28)
    found = []
    for repeat in range(repeats):
        scores = np.clip(truth * 0.3 + random.random(40) * 0.7, 0, 1)
        for rows in np.split(random.permutation(40), 4):
            found.append(scored((scores[rows], truth[rows]), repeat=repeat))
    return found


def pooled_of(metric, folds, repeats):
    values: list[Any] = []
    for repeat in range(repeats):
        own = [fold.predictions for fold in folds if fold.repeat == repeat]
        scores = np.concatenate([of.scores for of in own])[:, 0]
        together = scored((scores, np.concatenate([of.truth for of in own])))
        values.append(compute_metric(metric, together.predictions).value)
    return float(np.mean(values))


@pytest.mark.parametrize("metric", COUNTED)
def test_counts_are_those_of_the_confusion_matrix(metric):
    folds = folds_of(1)
    pooled = pooled_of(metric, folds, 1)
    found = counts(MetricByFold(metric, [0.5] * 4, pooled, folds, "kfold"))
    truth, predicted = (
        np.concatenate([getattr(fold.predictions, name) for fold in folds])
        for name in ("truth", "predicted")
    )
    (tn, fp), (fn, tp) = metrics.confusion_matrix(truth, predicted)
    right, n = {
        "sensitivity": (tp, tp + fn),
        "recall": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "ppv": (tp, tp + fp),
        "precision": (tp, tp + fp),
        "npv": (tn, tn + fn),
        "accuracy": (tp + tn, 40),
    }[metric]
    assert found is not None
    assert found.right == pytest.approx(right)
    assert found.n == n


def test_repeats_count_each_row_once():
    folds = folds_of(3)
    pooled = pooled_of("sensitivity", folds, 3)
    given = MetricByFold("sensitivity", [0.5] * 12, pooled, folds, "kfold", 3)
    found_counts = counts(given)
    assert found_counts is not None
    assert found_counts.n == 12
    found = interval(given)
    assert (found.low, found.high) == clopper_pearson.bounds(12 * pooled, 12, 0.95)
    low, high = ends(found)
    assert low < pooled < high


def test_no_row_to_count_is_no_interval():
    never = [scored(([0.1, 0.2], [1, 0])), scored(([0.3, 0.4], [0, 1]))]
    found = interval(MetricByFold("ppv", [None, None], None, never, "kfold"))
    assert found.low is None
    assert found.method == "none: there are no rows to count"
