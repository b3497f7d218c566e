"""Calibration: scikit-learn's points, and the numbers of a logistic regression."""

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from foldproof.tasks.evaluation.curves.calibration import BINS, calibration, calibration_curves
from foldproof.tasks.evaluation.curves.scored import scored_predictions
from foldproof.tasks.evaluation.intervals.wilson import bounds
from tests.support.scored import binary_table, multiclass_table


def scored_of(table) -> Any:
    return scored_predictions(table)


def points_of(scored) -> Any:
    return list(calibration_curves(scored))


TABLE = binary_table(rows=200)
SCORED: Any = scored_of(TABLE)


def test_the_points_are_those_of_scikit_learn():
    (curve,) = calibration_curves(SCORED)
    share, mean = calibration_curve(SCORED.positive, SCORED.scores[:, 1], n_bins=BINS)
    np.testing.assert_allclose(curve.x, mean, rtol=1e-12)
    np.testing.assert_allclose(curve.y, share, rtol=1e-12)


def test_slope_and_intercept_are_those_of_a_logistic_regression():
    found = calibration(SCORED)
    score = np.clip(SCORED.scores[:, 1], 1e-6, 1 - 1e-6)
    logit = np.log(score / (1 - score)).reshape(-1, 1)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit, SCORED.positive)
    assert found.slope == pytest.approx(model.coef_[0, 0], rel=1e-5)
    assert found.intercept == pytest.approx(model.intercept_[0], abs=1e-5)
    assert found.brier == pytest.approx(brier_score_loss(SCORED.positive, SCORED.scores[:, 1]))
    assert found.share == 0.5


def test_scores_that_separate_the_classes_have_no_slope():
    found = calibration(scored_of(binary_table(noise=0.0)))
    assert found.slope is None
    assert found.intercept is None
    assert 0 < found.brier < 1


def test_the_interval_is_wilsons_and_rows_of_repeats_have_none():
    (curve,) = points_of(SCORED)
    bins = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], SCORED.scores[:, 1])
    first = SCORED.positive[bins == bins.min()]
    low, high = bounds(int(first.sum()), len(first), 0.95)
    assert curve.low[0] == pytest.approx(low)
    assert curve.high[0] == pytest.approx(high)
    (repeated,) = calibration_curves(scored_of(binary_table(repeats=2)))
    assert repeated.low is None


def test_other_tasks_have_no_points():
    assert list(calibration_curves(scored_of(multiclass_table()))) == []
