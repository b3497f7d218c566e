"""Which tests may be made of two models, and the reason where none may."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from foldproof.tasks.evaluation.paired_tests.choose import default_rope
from foldproof.tasks.evaluation.paired_tests.choose import paired_tests as all_tests
from foldproof.tasks.evaluation.paired_tests.types import (
    Pair,
    PooledPredictions,
    SplitSummary,
)
from tests.support.tested_folds import binary

A, B = [0.9, 0.8, 0.85, 0.7], [0.8, 0.75, 0.9, 0.6]
TRUTH = (np.arange(20) % 2 == 0).astype(int)
POOLED = PooledPredictions(
    binary(np.arange(20.0) / 20, TRUTH),
    binary(np.random.default_rng(0).uniform(size=20), TRUTH),
)


def paired_tests(metric, first, second, division, pooled, rope=None):
    return all_tests(Pair(metric, first, second, division, pooled, rope))


def division(method="stratified_kfold", repeats=1, folds=4):
    return SplitSummary(method, repeats, (15,) * folds, (5,) * folds)


def methods(metric, *, first=A, second=B, pooled=POOLED, **how):
    tests = paired_tests(metric, first, second, division(**how), pooled)
    return [test.method.partition(" ")[0].strip(",") for test in tests]


def test_rows_of_groups_are_not_for_delong():
    grouped = SplitSummary("group_kfold", 1, (15,) * 4, (5,) * 4, grouped=True)
    _, by_rows = paired_tests("roc_auc", A, B, grouped, POOLED)
    assert (by_rows.p, by_rows.difference) == (None, None)
    assert by_rows.note == "none by DeLong: rows of one group are not independent"


KFOLDS = ["kfold", "stratified_kfold", "group_kfold", "stratified_group_kfold", "predefined"]


@pytest.mark.parametrize("method", KFOLDS)
def test_an_auc_over_one_division_takes_delong_as_well(method):
    assert methods("roc_auc", method=method) == ["Nadeau-Bengio", "DeLong"]


@pytest.mark.parametrize(
    ("metric", "how"),
    [
        ("f1", {}),
        ("roc_auc", {"pooled": None}),
        ("roc_auc", {"repeats": 2, "pooled": None}),
        ("roc_auc", {"method": "shuffle_split", "pooled": None}),
        ("roc_auc", {"method": "stratified_shuffle_split", "pooled": None}),
    ],
)
def test_everything_else_takes_the_corrected_t_alone(metric, how):
    assert methods(metric, **how) == ["Nadeau-Bengio"]


def test_five_repeats_of_two_halves_have_tests_of_their_own():
    ten = {"first": np.linspace(0.5, 0.9, 10), "second": np.linspace(0.6, 0.8, 10) ** 2}
    ten = {name: values.tolist() for name, values in ten.items()}
    both = ["Nadeau-Bengio", "Dietterich", "Alpaydin"]
    assert methods("roc_auc", repeats=5, folds=10, **ten) == both
    assert methods("roc_auc", repeats=2, folds=10, **ten) == ["Nadeau-Bengio"]
    shuffled = {"method": "shuffle_split", "repeats": 5, "folds": 10}
    assert methods("roc_auc", **shuffled, **ten) == ["Nadeau-Bengio"]


@pytest.mark.parametrize("method", ["time_series", "my_splitters:Mine"])
def test_folds_that_are_not_exchangeable_have_no_test(method):
    (found,) = paired_tests("roc_auc", A, B, division(method), POOLED)
    assert (found.method, found.p, found.low) == ("", None, None)
    assert found.difference == pytest.approx(0.05)
    assert found.note == f"none: folds of {method} are not exchangeable"


def test_models_that_cover_other_folds_are_not_even_subtracted():
    (found,) = paired_tests("accuracy", [*A[:3], None], B, division(), None)
    assert (found.method, found.difference, found.p) == ("", None, None)
    assert found.note == "none: they cover other folds (3 and 4 of 4)"
    (found,) = paired_tests("accuracy", [*A[:3], None], [None, *B[1:]], division(), None)
    assert found.note == "none: they cover other folds (3 and 3 of 4)"
    assert found.difference is None


def test_the_same_holes_leave_a_difference_and_no_test():
    (found,) = paired_tests("accuracy", [*A[:3], None], [*B[:3], None], division(), None)
    assert found.difference == pytest.approx(np.mean(A[:3]) - np.mean(B[:3]))
    assert (found.p, found.note) == (None, "none: only 3 of 4 folds have a value")
    (found,) = paired_tests("accuracy", [None] * 4, [None] * 4, division(), None)
    assert (found.difference, found.note) == (None, "none: only 0 of 4 folds have a value")


def test_scores_of_rows_left_out_one_at_a_time_are_not_pooled():
    """Pooled, the mean of the others' labels ranks all rows the wrong way round."""
    labels = np.arange(20) % 2
    assert roc_auc_score(labels, (labels.sum() - labels) / 19) == 0
    holes = [None] * 4
    by_folds, by_rows = paired_tests("roc_auc", holes, holes, division("leave_one_out"), POOLED)
    assert by_folds.note == "none: only 0 of 4 folds have a value"
    assert by_rows.note == "none by DeLong: leaving a row out shifts its score"
    assert (by_rows.p, by_rows.difference) == (None, None)


def test_an_auc_that_is_undefined_in_a_fold_is_tested_on_the_pooled_scores():
    """Every row has a score, whether or not its fold has both classes."""
    holes = [*A[:3], None]
    assert methods("roc_auc", first=holes, second=holes) == ["", "DeLong"]


def test_the_sizes_are_the_folds_means():
    uneven = SplitSummary("kfold", 1, (15, 15, 15, 18), (5, 5, 5, 2))
    even = SplitSummary("kfold", 1, (16, 16, 15, 16), (4, 4, 5, 4))
    assert paired_tests("r2", A, B, uneven, None) == paired_tests("r2", A, B, even, None)


@pytest.mark.parametrize(
    ("metric", "classes", "rope"),
    [("roc_auc", 2, 0.01), ("accuracy", 3, 0.01), ("kappa", 2, None), ("r2", 0, None)],
)
def test_what_is_practically_equal_is_known_of_metrics_between_0_and_1(metric, classes, rope):
    assert default_rope(metric, classes) == rope


def test_a_rope_brings_the_bayesian_test():
    found = [test.method for test in paired_tests("f1", A, B, division(), None, rope=0.01)]
    assert found == ["Nadeau-Bengio corrected t", "Bayesian correlated t"]


@pytest.mark.parametrize("metric", ["accuracy", "sensitivity", "specificity"])
def test_right_and_wrong_rows_take_mcnemar(metric):
    assert methods(metric) == ["Nadeau-Bengio", "McNemar", "McNemar"]
    grouped = SplitSummary("group_kfold", 1, (15,) * 4, (5,) * 4, grouped=True)
    _, by_rows = paired_tests(metric, A, B, grouped, POOLED)
    assert by_rows.note == "none by McNemar: rows of one group are not independent"
