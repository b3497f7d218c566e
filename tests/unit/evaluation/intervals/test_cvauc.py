"""The influence-curve intervals against published numbers."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from foldproof.tasks.evaluation.intervals import cvauc, cvauc_clipped
from tests.support.tested_folds import FOLD_1, FOLD_2, TIED, ends, scored


@pytest.mark.parametrize(
    ("folds", "mean", "error", "low"),
    [
        ((FOLD_1, FOLD_2), 0.8333333333333333, 0.1200137166371826, 0.5981107710736598),
        ((TIED, FOLD_1), 0.8819444444444444, 0.1433989944348923, 0.600887579932796),
    ],
)
def test_cvauc_of_two_small_folds(folds, mean, error, low):
    found = cvauc_clipped.interval([scored(fold) for fold in folds], 0.95)
    assert found.low == pytest.approx(low, rel=1e-12)
    assert found.high == 1.0
    assert (mean - found.low) / stats.norm.ppf(0.975) == pytest.approx(error, rel=1e-12)
    assert np.mean([roc_auc_score(truth, scores) for scores, truth in folds]) == pytest.approx(mean)


def test_two_small_folds_on_the_logit_scale():
    found = cvauc.interval([scored(FOLD_1), scored(FOLD_2)], 0.95)
    assert (found.low, found.high) == pytest.approx((0.4789712780, 0.9645329658), abs=5e-11)
    assert found.method == "95% cvAUC influence curve (logit), J=2, n=12"


def test_the_clipped_one_stays_above_zero():
    upside_down = ([0.1, 0.2, 0.8, 0.9], [1, 1, 0, 1])
    found = cvauc_clipped.interval([scored(upside_down), scored(upside_down)], 0.95)
    assert found.low == 0.0
    assert 0 < ends(found)[1] < 1


def test_folds_that_separate_perfectly_have_no_interval():
    perfect = scored(([0.9, 0.8, 0.1, 0.2], [1, 1, 0, 0]))
    for method in (cvauc, cvauc_clipped):
        found = method.interval([perfect, perfect], 0.95)
        assert (found.low, found.method) == (None, "none: the folds separate perfectly")
