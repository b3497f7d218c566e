"""The 5x2cv tests against published numbers, and where there is no test."""

import numpy as np
import pytest

from foldproof.tasks.evaluation.paired_tests.five_by_two import alpaydin, dietterich

STUMP = np.ravel([[24, 26], [26, 20], [25, 33], [24, 25], [24, 26]]) / 75
TREE = np.ravel([[0, 0], [3, -2], [1, 2], [1, 2], [1, 5]]) / 75
NONE = [0.0] * 10


@pytest.mark.parametrize(
    ("test", "differences", "statistic", "p"),
    [
        (dietterich, STUMP, 7.2694, 0.0008),
        (dietterich, TREE, 0.0, 1.0),
        (alpaydin, STUMP, 59.5872, 0.0001),
        (alpaydin, TREE, 1.1395, 0.4705),
    ],
)
def test_the_published_comparisons_on_iris(test, differences, statistic, p):
    """A logistic regression against two trees: the numbers of mlxtend's own tests."""
    found = test(differences, NONE)
    assert found.statistic == pytest.approx(statistic, abs=5e-5)
    assert found.p == pytest.approx(p, abs=5e-5)
    assert found.difference == pytest.approx(differences.mean())
    assert (found.low, found.high) == (None, None)


@pytest.mark.parametrize("test", [dietterich, alpaydin])
def test_exchanging_the_models_keeps_p(test):
    assert test(NONE, STUMP).p == pytest.approx(test(STUMP, NONE).p, rel=1e-12)


def test_dietterichs_t_says_what_it_rests_on():
    assert (
        dietterich(STUMP.tolist(), NONE).note
        == "t rests on the difference in the very first half alone"
    )


@pytest.mark.parametrize("test", [dietterich, alpaydin])
def test_without_spread_there_is_no_test(test):
    equal = test(np.full(10, 0.9), np.full(10, 0.9))
    assert (equal.p, equal.statistic, equal.difference) == (1.0, None, 0.0)
    constant = test(np.full(10, 0.9), np.full(10, 0.8))
    assert constant.p is None
    assert constant.note.startswith("none: all differences are the same")
    by_repeat = test(np.repeat([0.1, 0.2, 0.3, 0.4, 0.5], 2), NONE)
    assert by_repeat.p is None
    assert by_repeat.difference == pytest.approx(0.3)
    assert by_repeat.note.startswith("none: both halves of each repeat")
