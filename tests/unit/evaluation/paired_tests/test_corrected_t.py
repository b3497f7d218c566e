"""The corrected resampled t test against published numbers, and where there is no test."""

import numpy as np
import pytest
from scipy import stats

from foldproof.tasks.evaluation.paired_tests.corrected_t import NAME, compare
from tests.support.published import X, Y, with_moments


def of(differences, n_train, n_test):
    """Test differences as they are."""
    return compare(list(differences), [0.0] * len(differences), n_train, n_test, 0.95)


def test_scikit_learns_published_comparison_of_two_kernels():
    found = of(with_moments(0.01, 0.0014666666666666662, 100), 90, 10)
    assert found.statistic == pytest.approx(0.7503126954, rel=1e-9)
    assert found.p / 2 == pytest.approx(0.2274229710, rel=1e-9)
    assert found.difference == pytest.approx(0.01)
    lower, upper = stats.t.interval(0.95, 99, 0.01, 0.01 / found.statistic)
    assert (found.low, found.high) == pytest.approx((lower, upper))
    assert found.high == pytest.approx(0.036445, abs=5e-7)  # of the Bayesian test: the same root


@pytest.mark.parametrize(
    ("t", "bonferroni"), [(1.657, 0.302), (4.565, 0.000), (1.111, 0.807), (4.276, 0.000)]
)
def test_the_published_table_of_all_kernels(t, bonferroni):
    """Six pairs: the published p is one-sided and times six."""
    found = of(with_moments(t * np.sqrt(1 / 100 + 1 / 9), 1.0, 100), 90, 10)
    assert found.statistic == pytest.approx(t)
    assert min(1, 6 * found.p / 2) == pytest.approx(bonferroni, abs=1e-3)


def test_correctrs_published_resampled_t():
    found = compare([*map(float, X.split())], [*map(float, Y.split())], 80, 20, 0.95)
    assert found.statistic == pytest.approx(2.407320, abs=5e-7)
    assert found.p == pytest.approx(0.022660, abs=5e-7)
    exact = of(with_moments(0.17745579073676387, 0.01917854808853526, 30), 80, 20)
    assert exact.statistic == pytest.approx(2.4073180789586344, rel=1e-12)
    assert exact.p == pytest.approx(0.02265982, abs=5e-9)


def test_ten_folds_by_formula():
    values = [0.02, 0.01, 0.03, -0.01, 0.02, 0.00, 0.04, 0.01, 0.02, 0.01]
    found = of(values, 90, 10)
    assert found.method == NAME
    assert found.difference == pytest.approx(0.015)
    assert found.statistic == pytest.approx(2.2770423280802516, rel=1e-12)
    assert found.p == pytest.approx(0.04879793444448794, rel=1e-12)
    assert found.low == pytest.approx(9.805591950455e-05, rel=1e-9)
    assert found.high == pytest.approx(0.029901944080495, rel=1e-12)


def test_exchanging_the_models_changes_signs_only():
    rng = np.random.default_rng(0)
    first, second = rng.uniform(size=(2, 10)).tolist()
    one, other = compare(first, second, 90, 10, 0.95), compare(second, first, 90, 10, 0.95)
    assert one.p == other.p
    assert other.low is not None
    assert other.high is not None
    assert other.statistic is not None
    assert (one.low, one.high) == (-other.high, -other.low)
    assert one.statistic == -other.statistic


def test_models_that_agree_in_every_fold_are_not_told_apart():
    found = compare([0.9, 0.8, 0.7], [0.9, 0.8, 0.7], 20, 10, 0.95)
    assert (found.difference, found.p) == (0.0, 1.0)
    assert (found.low, found.high, found.statistic) == (None, None, None)
    assert "same values" in found.note


def test_the_same_difference_in_every_fold_is_no_proof():
    """Rounded, these differences have a variance of 1e-34 and would be proof of anything."""
    first = np.array([0.9, 0.8, 0.7, 0.35])
    assert np.ptp(first - (first - 0.1)) > 0
    found = compare(first.tolist(), (first - 0.1).tolist(), 20, 10, 0.95)
    assert found.difference == pytest.approx(0.1)
    assert (found.p, found.low, found.statistic) == (None, None, None)
    assert found.note.startswith("none: all differences are the same")


def test_rounding_is_no_difference():
    first = np.array([0.1 + 0.2, 0.7, 0.9])
    found = compare(first.tolist(), [0.3, 0.7, 0.9], 20, 10, 0.95)
    assert (found.difference, found.p) == (0.0, 1.0)


def test_tiny_values_have_differences_of_their_own_size():
    first = 1e-9 * np.array([3.0, 2.0, 4.0])
    large = 1e9 * first
    assert compare(first.tolist(), (first / 2).tolist(), 20, 10, 0.95).p == pytest.approx(
        compare(large.tolist(), (large / 2).tolist(), 20, 10, 0.95).p
    )


def test_one_fold_has_no_test():
    found = compare([0.9], [0.8], 20, 10, 0.95)
    assert found.difference == pytest.approx(0.1)
    assert found.p is None
    assert found.note == "none: one fold has no spread; use more"
