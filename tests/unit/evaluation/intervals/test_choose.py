"""The choice among the interval methods: which one holds for a metric and a split."""

import typing

import numpy as np
import pytest

from foldproof.tasks.config.report import INTERVALS
from foldproof.tasks.evaluation.intervals import corrected_t, cvauc, cvauc_clipped
from foldproof.tasks.evaluation.intervals.choose import interval, method_names
from foldproof.tasks.evaluation.intervals.scales import scale_of
from foldproof.tasks.evaluation.intervals.types import MetricByFold
from tests.support.tested_folds import FOLD_1, FOLD_2, ends, regression, scored

FOLDS = [scored(FOLD_1), scored(FOLD_2)]
AUCS = [8 / 9, 7 / 9]
PARTITIONS = ["kfold", "stratified_kfold", "group_kfold", "stratified_group_kfold", "predefined"]


def given(metric, values=AUCS, folds=FOLDS, method="stratified_kfold", repeats=1, pooled=0.75):
    return MetricByFold(metric, values, pooled, folds, method, repeats)


def name_of(found):
    return found.method.partition(",")[0]


def grouped(fold, groups):
    return scored(fold, groups=np.array(groups))


LARGE = [scored(([0.9, 0.4] * 50 + [0.6, 0.1] * 50, [1] * 100 + [0] * 100)) for _ in range(2)]


@pytest.mark.parametrize("method", PARTITIONS)
def test_an_auc_of_large_folds_over_one_division_takes_cvauc(method):
    found = interval(given("roc_auc", folds=LARGE, method=method))
    assert found == cvauc.interval(LARGE, 0.95)
    small = interval(given("roc_auc", method=method))
    assert name_of(small) == "95% Nadeau-Bengio corrected t (logit)"
    assert interval(given("roc_auc", method=method), 0.95, "cvauc") == cvauc.interval(FOLDS, 0.95)


@pytest.mark.parametrize(
    ("method", "repeats"),
    [("stratified_kfold", 2), ("shuffle_split", 1), ("stratified_shuffle_split", 1)],
)
def test_an_auc_of_rows_that_are_tested_again_takes_the_corrected_t(method, repeats):
    found = interval(given("roc_auc", method=method, repeats=repeats))
    assert found == corrected_t.interval(AUCS, 12, 6, 0.95, scale_of("roc_auc", 2))
    assert ends(found)[1] < 1


@pytest.mark.parametrize("metric", ["sensitivity", "specificity", "ppv", "npv"])
@pytest.mark.parametrize("repeats", [1, 2])
def test_a_proportion_of_a_class_takes_pooled_counts(metric, repeats):
    found = interval(given(metric, repeats=repeats))
    assert name_of(found) == "95% Clopper-Pearson"
    assert found.estimate == "pooled"


def test_accuracy_takes_the_corrected_t_and_where_folds_are_equal_pooled_counts():
    assert "corrected t" in interval(given("accuracy")).method
    equal = interval(given("accuracy", values=[0.75, 0.75]))
    assert name_of(equal) == "95% Clopper-Pearson"


def test_a_proportion_of_rows_that_are_drawn_anew_takes_the_corrected_t():
    found = interval(given("sensitivity", method="shuffle_split"))
    assert name_of(found) == "95% Nadeau-Bengio corrected t (logit)"
    assert found.estimate == "mean"


def test_folds_of_one_row_have_pooled_counts_although_few_have_values():
    found = interval(given("sensitivity", values=[1.0, None], method="leave_one_out"))
    assert name_of(found) == "95% Clopper-Pearson"
    auc = interval(given("roc_auc", values=[None, None], method="leave_one_out"))
    assert (auc.low, auc.method) == (None, "none: fewer than two folds have a value")


@pytest.mark.parametrize("metric", ["r2", "neg_mean_absolute_error", "f1"])
def test_everything_else_takes_the_corrected_t(metric):
    values = [-0.5, -0.75] if metric.startswith("neg") else [0.5, 0.75]
    folds = FOLDS if metric == "f1" else [regression(), regression()]
    found = interval(given(metric, values=values, folds=folds))
    assert "corrected t" in found.method
    low, high = ends(found)
    assert low < np.mean(values) < high < (0 if metric.startswith("neg") else 1)


def test_groups_are_drawn_where_rows_are_not_independent():
    folds = [grouped(FOLD_1, range(6)), grouped(FOLD_2, range(6, 12))]
    few = interval(given("sensitivity", folds=folds))
    assert few.method == "none: 6 groups have rows that it needs, fewer than 10"
    mixed = ([0.9, 0.4, 0.8, 0.6, 0.1, 0.2], [1, 1, 0, 1, 0, 0])
    many = [scored(mixed, groups=np.arange(6) + 6 * i) for i in range(8)]
    for metric, estimate in (("sensitivity", "pooled"), ("roc_auc", "mean")):
        found = interval(given(metric, values=[0.9] * 8, folds=many))
        assert name_of(found) == "95% bootstrap of 48 groups"
        assert found.estimate == estimate
    f1 = interval(given("f1", values=[0.5, 0.75], folds=folds))
    assert "corrected t" in f1.method


def test_a_method_may_be_chosen_and_counts_where_it_holds():
    assert interval(given("roc_auc"), 0.95, "cvauc_clipped") == cvauc_clipped.interval(FOLDS, 0.95)
    auc = interval(given("roc_auc"), 0.9, "wilson")
    assert name_of(auc) == "90% Nadeau-Bengio corrected t (logit)"
    score = interval(given("sensitivity"), 0.99, "wilson")
    assert name_of(score) == "99% Wilson"
    losses = interval(given("neg_log_loss", values=[-0.5, -0.6], pooled=-0.55), 0.95, "wald")
    assert name_of(losses) == "95% Wald over losses (log)"


def test_the_settings_name_the_methods():
    assert {"auto", *method_names()} == set(typing.get_args(INTERVALS))


def test_one_model_on_one_test_set_has_delongs_interval():
    found = interval(given("roc_auc", values=[8 / 9], folds=[scored(FOLD_1)], method="predefined"))
    assert name_of(found) == "95% DeLong (logit)"


def test_uneven_folds_count_with_their_mean_sizes():
    folds = [regression(20, 11), regression(21, 10)]
    found = interval(given("r2", values=[0.5, 0.6], folds=folds, method="kfold"))
    assert found == corrected_t.interval([0.5, 0.6], 20.5, 10.5, 0.95, scale_of("r2", 0))
    assert found.method.endswith("n_train=20.5, n_test=10.5")


@pytest.mark.parametrize("method", ["time_series", "my_splitters:Mine"])
@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "f1"])
def test_folds_that_are_not_exchangeable_have_no_interval(method, metric):
    found = interval(given(metric, method=method))
    assert (found.low, found.high) == (None, None)
    assert found.method == f"none: folds of {method} are not exchangeable"


@pytest.mark.parametrize("values", [[None, None], [0.9, None]])
def test_a_single_value_has_no_interval(values):
    found = interval(given("f1", values=values))
    assert (found.low, found.high) == (None, None)
    assert found.method == "none: fewer than two folds have a value"


@pytest.mark.parametrize(
    ("metric", "values"),
    [("f1", [1.0, 1.0]), ("r2", [1.0, 1.0]), ("neg_log_loss", [0.0, 0.0])],
)
def test_a_mean_at_the_end_of_its_range_has_no_interval_by_t(metric, values):
    found = interval(given(metric, values=values))
    assert found.method == "none: the mean is at the end of the metric's range"


def test_equal_values_have_no_interval_by_t():
    assert interval(given("f1", values=[0.5, 0.5])).method == "none: all folds have the same value"
