"""Metrics of drawn rows are scikit-learn's of the rows, each as often as it was drawn."""

import numpy as np
import pytest

from foldproof.tasks.evaluation import bootstrap
from foldproof.tasks.evaluation.bootstrap import DRAWS, drawn_values
from foldproof.tasks.evaluation.measure import compute_metric
from foldproof.tasks.evaluation.predictions import Predictions
from tests.support.tested_folds import binary

RANDOM = np.random.default_rng(5)
N = 60
THREE = RANDOM.dirichlet([1, 1, 1], N)
VALUES = RANDOM.normal(size=N)
GUESSES = VALUES + RANDOM.normal(size=N)
OF = {
    2: binary(np.round(RANDOM.random(N), 1), RANDOM.integers(0, 2, N)),
    3: Predictions(RANDOM.integers(0, 3, N), THREE.argmax(axis=1), THREE, 3),
    0: Predictions(VALUES, GUESSES, GUESSES.reshape(-1, 1), 0),
}
CASES = [
    *((name, 2) for name in ("roc_auc", "sensitivity", "specificity", "ppv", "npv", "accuracy")),
    *((name, classes) for name in ("balanced_accuracy", "neg_log_loss") for classes in (2, 3)),
    *(("accuracy", 3), ("roc_auc_ovr", 3), ("neg_brier_score", 3)),
    *((f"neg_{name}_error", 0) for name in ("root_mean_squared", "mean_absolute")),
    ("r2", 0),
]


def taken(of, rows):
    return Predictions(of.truth[rows], of.predicted[rows], of.scores[rows], of.classes)


@pytest.mark.parametrize(("metric", "classes"), CASES)
def test_a_draw_is_the_metric_of_its_rows(metric, classes):
    of = OF[classes]
    values = drawn_values(metric, of, 7)
    assert values is not None
    assert values.shape == (DRAWS,)
    weights = next(bootstrap._draws(N, 7))
    assert set(weights.sum(axis=1)) == {N}
    for draw in range(10):
        rows = np.repeat(np.arange(N), weights[draw].astype(int))
        expected = compute_metric(metric, taken(of, rows)).value
        assert values[draw] == pytest.approx(expected, rel=1e-9)


def test_draws_follow_from_the_seed_and_are_the_same_for_all_models():
    first, again, other = (drawn_values("accuracy", OF[2], seed) for seed in (1, 1, 2))
    assert np.array_equal(np.asarray(first), np.asarray(again))
    assert not np.array_equal(np.asarray(first), np.asarray(other))
    assert first is not None
    mean, spread = np.mean(first), np.std(first)
    value = float(np.mean(OF[2].truth == OF[2].predicted))
    assert mean == pytest.approx(value, abs=0.01)
    assert spread == pytest.approx(np.sqrt(value * (1 - value) / N), rel=0.1)


@pytest.mark.parametrize(("metric", "classes"), [("f1", 2), ("roc_auc", 0), ("own:metric", 2)])
def test_other_metrics_have_no_draws(metric, classes):
    assert drawn_values(metric, OF[classes], 1) is None
