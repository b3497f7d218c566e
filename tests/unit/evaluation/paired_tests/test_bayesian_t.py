"""The Bayesian correlated t against scikit-learn's published example."""

import numpy as np
import pytest
from scipy import stats

from foldproof.tasks.evaluation.paired_tests.bayesian_t import compare
from tests.support.published import with_moments

DIFFERENCES = with_moments(0.01, 0.0014666666666666662, 100)
EQUAL = [0.0] * 100


def probabilities(*given):
    found = compare(*given).probabilities
    assert found is not None
    return found


def test_the_probabilities_of_two_kernels():
    better, equal, worse = probabilities(DIFFERENCES, EQUAL, 90, 10, 0.95, 0.0)
    assert better == pytest.approx(0.772577, abs=5e-7)
    assert (equal, worse) == pytest.approx((0.0, 1 - better))
    found = probabilities(DIFFERENCES, EQUAL, 90, 10, 0.95, 0.01)
    assert found[1] == pytest.approx(0.431682, abs=5e-7)
    assert sum(found) == pytest.approx(1)


@pytest.mark.parametrize(
    ("level", "low", "high"),
    [(0.5, 0.000977, 0.019023), (0.75, -0.005422, 0.025422), (0.95, -0.016445, 0.036445)],
)
def test_the_credible_intervals_of_two_kernels(level, low, high):
    found = compare(DIFFERENCES, EQUAL, 90, 10, level, 0.01)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-7)


def test_swapped_models_swap_probabilities():
    first, second = [0.9, 0.8, 0.85], [0.7, 0.85, 0.8]
    there = probabilities(first, second, 20, 10, 0.95, 0.01)
    back = probabilities(second, first, 20, 10, 0.95, 0.01)
    assert there == pytest.approx(back[::-1])
    d = np.subtract(first, second)
    scale = np.sqrt(d.var(ddof=1) * (1 / 3 + 0.5))
    assert there[2] == pytest.approx(stats.t.cdf((-0.01 - d.mean()) / scale, 2))


def test_equal_differences_have_no_posterior():
    found = compare([0.9, 0.8], [0.8, 0.7], 20, 10, 0.95, 0.01)
    assert (found.probabilities, found.note) == (None, "none: all differences are the same")
