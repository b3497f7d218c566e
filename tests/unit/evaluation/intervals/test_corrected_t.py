"""The corrected t interval against published numbers, and on its scale."""

import math

import numpy as np
import pytest
from scipy import stats

from foldproof.tasks.evaluation.intervals import corrected_t
from foldproof.tasks.evaluation.intervals.scales import scale_of
from tests.support.published import X, Y, with_moments
from tests.support.tested_folds import ends

TEN = [0.9, 0.95, 1, 0.85, 0.95, 1, 0.9, 0.95, 1, 0.9]


def spread_of(found, mean, df):
    """Return the standard error behind a t interval without a scale."""
    assert (found.low + found.high) / 2 == pytest.approx(mean)
    return (found.high - found.low) / 2 / stats.t.ppf(0.975, df)


def test_scikit_learns_published_comparison_of_two_kernels():
    values = with_moments(0.01, 0.0014666666666666662, 100)
    spread = spread_of(corrected_t.interval(values, 90, 10, 0.95), 0.01, 99)
    assert 0.01 / spread == pytest.approx(0.7503126954, rel=1e-9)
    assert stats.t.sf(0.01 / spread, 99) == pytest.approx(0.2274229710, rel=1e-9)


def test_correctrs_published_resampled_t():
    differences = np.array(X.split(), float) - np.array(Y.split(), float)
    mean = differences.mean()
    t = mean / spread_of(corrected_t.interval(differences, 80, 20, 0.95), mean, 29)
    assert t == pytest.approx(2.407320, abs=5e-7)
    assert 2 * stats.t.sf(t, 29) == pytest.approx(0.022660, abs=5e-7)


def test_the_corrected_interval_of_ten_folds():
    values = [0.02, 0.01, 0.03, -0.01, 0.02, 0.00, 0.04, 0.01, 0.02, 0.01]
    found = corrected_t.interval(values, 90, 10, 0.95)
    assert found.low == pytest.approx(9.805591950455e-05, rel=1e-9)
    assert found.high == pytest.approx(0.029901944080495, rel=1e-12)
    assert found.method == "95% Nadeau-Bengio corrected t, J=10, n_train=90, n_test=10"
    t = 0.015 / spread_of(found, 0.015, 9)
    assert t == pytest.approx(2.2770423280802516, rel=1e-12)
    assert 2 * stats.t.sf(t, 9) == pytest.approx(0.04879793444448794, rel=1e-12)


def test_ten_folds_on_the_logit_scale():
    plain = corrected_t.interval(TEN, 90, 10, 0.95)
    assert (plain.low, plain.high) == pytest.approx((0.8863261577, 0.9936738423), abs=5e-11)
    found = corrected_t.interval(TEN, 90, 10, 0.95, scale_of("roc_auc", 2))
    assert (found.low, found.high) == pytest.approx((0.8581332851, 0.9759481885), abs=5e-11)
    assert "corrected t (logit), J=10" in found.method


@pytest.mark.parametrize(
    ("metric", "values", "high"),
    [
        ("accuracy", [0.98, 1.0, 1.0, 0.96], 1.0),
        ("matthews_corrcoef", [-0.9, -1.0, -0.6], 1.0),
        ("r2", [0.99, 0.2, 0.97], 1.0),
        ("neg_mean_squared_error", [-0.01, -3.0, -0.1], 0.0),
        ("neg_brier_score", [-0.9, -1.0, -0.99], 0.0),
        ("positive_likelihood_ratio", [0.1, 4.0, 0.2], math.inf),
    ],
)
def test_no_interval_leaves_the_range(metric, values, high):
    scale = scale_of(metric, 2 if metric != "r2" else 0)
    found = corrected_t.interval(values, 50, 25, 0.99, scale)
    found_low, found_high = ends(found)
    assert found_low < np.mean(values) < found_high < high
    low = {"accuracy": 0, "matthews_corrcoef": -1, "neg_brier_score": -1}.get(metric, -math.inf)
    assert found_low > (0 if metric.startswith("positive") else low)
