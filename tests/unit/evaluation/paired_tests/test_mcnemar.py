"""McNemar's test against published numbers and SciPy."""

import pytest
from scipy import stats

from foldproof.tasks.evaluation.paired_tests.choose import paired_tests
from foldproof.tasks.evaluation.paired_tests.mcnemar import p_values
from foldproof.tasks.evaluation.paired_tests.types import Pair, PooledPredictions, SplitSummary
from tests.support.tested_folds import binary


def test_fagerlands_published_p_values():
    exact, mid = p_values(1, 7)
    assert exact == pytest.approx(0.0703125, abs=1e-12)
    assert mid == pytest.approx(0.0390625, abs=1e-12)
    assert p_values(7, 1) == (exact, mid)


@pytest.mark.parametrize(("b", "c"), [(0, 1), (3, 3), (2, 9), (40, 55), (0, 30)])
def test_the_exact_p_value_is_that_of_a_sign_test(b, c):
    exact, mid = p_values(b, c)
    assert exact == pytest.approx(stats.binomtest(b, b + c).pvalue)
    assert 0 < mid <= exact


def test_models_that_are_right_in_the_same_rows_are_not_told_apart():
    assert p_values(0, 0) == (1.0, 1.0)


def test_rows_are_counted_that_the_metric_is_about():
    truth = [1, 1, 1, 1, 0, 0, 0, 0]
    first = binary([0.9, 0.9, 0.9, 0.1, 0.1, 0.1, 0.9, 0.9], truth)
    second = binary([0.1, 0.1, 0.9, 0.9, 0.1, 0.1, 0.1, 0.9], truth)
    division = SplitSummary("kfold", 1, (4, 4), (4, 4))
    counts = {"sensitivity": (2, 1, 0.25), "specificity": (0, 1, -0.25), "accuracy": (2, 2, 0.0)}
    for metric, (only_first, only_second, difference) in counts.items():
        pair = Pair(metric, [0.5, 0.6], [0.4, 0.7], division, PooledPredictions(first, second))
        exact, mid = (test for test in paired_tests(pair) if "McNemar" in test.method)
        assert (exact.p, mid.p) == p_values(only_first, only_second)
        assert exact.difference == difference
        assert f"only the first is right in {only_first} rows" in exact.note
