"""The intervals against published numbers, and the choice among them."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from foldproof.tasks.evaluation.intervals import corrected_t, cvauc
from foldproof.tasks.evaluation.intervals.choose import ScoredFold, interval
from tests.support.published import X, Y, with_moments

FOLD_1 = ([0.9, 0.8, 0.7, 0.6, 0.4, 0.3], [1, 1, 0, 1, 0, 0])
FOLD_2 = ([0.95, 0.7, 0.65, 0.5, 0.45, 0.2], [1, 0, 1, 1, 0, 0])
TIED = ([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0])


def scored(fold, n_train=12):
    scores, truth = map(np.array, fold)
    return ScoredFold(n_train, len(scores), truth == 1, scores)


def spread_of(found, mean, df):
    """Return the standard error behind a t interval."""
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


def test_equal_values_have_an_interval_of_no_width():
    found = corrected_t.interval([0.5, 0.5, 0.5], 20, 10, 0.95)
    assert (found.low, found.high) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("folds", "mean", "error", "low"),
    [
        ((FOLD_1, FOLD_2), 0.8333333333333333, 0.1200137166371826, 0.5981107710736598),
        ((TIED, FOLD_1), 0.8819444444444444, 0.1433989944348923, 0.600887579932796),
    ],
)
def test_cvauc_of_two_small_folds(folds, mean, error, low):
    found = cvauc.interval([scored(fold) for fold in folds], 0.95)
    assert found.low == pytest.approx(low, rel=1e-12)
    assert found.high == 1.0
    assert (mean - found.low) / stats.norm.ppf(0.975) == pytest.approx(error, rel=1e-12)
    assert np.mean([roc_auc_score(truth, scores) for scores, truth in folds]) == pytest.approx(mean)


def test_cvauc_stays_above_zero():
    upside_down = ([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 1])
    found = cvauc.interval([scored(upside_down), scored(upside_down)], 0.95)
    assert found.low == 0.0
    assert found.high is not None
    assert 0 < found.high < 1


def test_cvauc_says_how_many_folds_and_rows_it_saw():
    found = cvauc.interval([scored(FOLD_1), scored(TIED)], 0.95)
    assert found.method == "95% cvAUC influence curve, J=2, n=10"


FOLDS = [scored(FOLD_1), scored(FOLD_2)]
AUCS = [8 / 9, 7 / 9]
PARTITIONS = ["kfold", "stratified_kfold", "group_kfold", "stratified_group_kfold", "predefined"]


@pytest.mark.parametrize("method", PARTITIONS)
def test_an_auc_over_one_division_of_the_rows_takes_cvauc(method):
    assert interval("roc_auc", AUCS, FOLDS, method, 1) == cvauc.interval(FOLDS, 0.95)


@pytest.mark.parametrize(
    ("metric", "method", "repeats"),
    [
        ("accuracy", "stratified_kfold", 1),
        ("roc_auc", "stratified_kfold", 2),
        ("roc_auc", "shuffle_split", 1),
        ("roc_auc", "stratified_shuffle_split", 1),
        ("accuracy", "leave_one_out", 1),
    ],
)
def test_everything_else_takes_the_corrected_t(metric, method, repeats):
    found = interval(metric, AUCS, FOLDS, method, repeats)
    assert found == corrected_t.interval(AUCS, 12, 6, 0.95)


def test_a_regression_has_no_auc_to_take():
    folds = [ScoredFold(20, 10), ScoredFold(20, 10)]
    assert "Nadeau-Bengio" in interval("roc_auc", [0.5, 0.6], folds, "kfold", 1).method


def test_uneven_folds_count_with_their_mean_sizes():
    folds = [ScoredFold(20, 11), ScoredFold(21, 10)]
    found = interval("r2", [0.5, 0.6], folds, "kfold", 1)
    assert found == corrected_t.interval([0.5, 0.6], 20.5, 10.5, 0.95)
    assert found.method.endswith("n_train=20.5, n_test=10.5")


@pytest.mark.parametrize("method", ["time_series", "my_splitters:Mine"])
def test_folds_that_are_not_exchangeable_have_no_interval(method):
    found = interval("accuracy", AUCS, FOLDS, method, 1)
    assert (found.low, found.high) == (None, None)
    assert found.method == f"none: folds of {method} are not exchangeable"


@pytest.mark.parametrize("values", [[], [0.9]])
def test_a_single_value_has_no_interval(values):
    found = interval("accuracy", values, FOLDS[: len(values)], "kfold", 1)
    assert (found.low, found.high) == (None, None)
    assert found.method == "none: fewer than two folds have a value"
