"""DeLong's interval of one AUC, against published numbers."""

import numpy as np
import pytest
from scipy import stats

from foldproof.tasks.evaluation.intervals import delong
from tests.support.tested_folds import ends

CONTROLS, CASES = (37, 20, 3, 8, 4), (2, 12, 1, 8, 18)  # by grade, 1 to 5


def graded():
    grades = np.arange(1.0, 6.0)
    scores = np.concatenate([np.repeat(grades, CONTROLS), np.repeat(grades, CASES)])
    return np.arange(len(scores)) >= sum(CONTROLS), scores


def test_a_published_auc_its_variance_and_interval():
    auc, error = delong.auc_and_error(*graded())
    assert auc == pytest.approx(0.823678861788618, rel=1e-14)
    assert error**2 == pytest.approx(0.00146991470882363, rel=1e-12)
    z = stats.norm.ppf(0.975)
    plain = auc - z * error, auc + z * error
    assert plain == pytest.approx((0.7485348879, 0.8988228358), abs=1e-9)


def test_its_interval_is_within_the_range():
    positive, scores = graded()
    found = delong.interval(positive, scores, 0.95)
    low, high = ends(found)
    assert 0.73 < low < 0.75
    assert 0.88 < high < 0.9
    assert found.method == "95% DeLong (logit), n=113"


@pytest.mark.parametrize(
    ("positive", "scores", "reason"),
    [
        ([True, False, False], [0.9, 0.1, 0.2], "fewer than 2 rows of a class"),
        ([True, True, False, False], [0.9, 0.8, 0.1, 0.2], "the scores separate perfectly"),
    ],
)
def test_what_has_no_variance_has_no_interval(positive, scores, reason):
    found = delong.interval(np.array(positive), np.array(scores), 0.95)
    assert (found.low, found.method) == (None, f"none: {reason}")
