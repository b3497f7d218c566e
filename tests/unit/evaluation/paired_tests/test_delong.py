"""DeLong's test against published numbers, and where there is no test."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from foldproof.tasks.evaluation.auc_variance import covariance, placements
from foldproof.tasks.evaluation.paired_tests.delong import CAVEAT, compare

# DeLong (1988) as printed in SAS/STAT's LOGISTIC example: albumin, total protein, score, ill
ROWS = """
3.0 5.8 10 0;3.2 6.3 5 1;3.9 6.8 3 1;2.8 4.8 6 0;3.2 5.8 3 1;0.9 4.0 5 0;2.5 5.7 8 0;1.6 5.6 5 1;
3.8 5.7 5 1;3.7 6.7 6 1;3.2 5.4 4 1;3.8 6.6 6 1;4.1 6.6 5 1;3.6 5.7 5 1;4.3 7.0 4 1;3.6 6.7 4 0;
2.3 4.4 6 1;4.2 7.6 4 0;4.0 6.6 6 0;3.5 5.8 6 1;3.8 6.8 7 1;3.0 4.7 8 0;4.5 7.4 5 1;3.7 7.4 5 1;
3.1 6.6 6 1;4.1 8.2 6 1;4.3 7.0 5 1;4.3 6.5 4 1;3.2 5.1 5 1;2.6 4.7 6 1;3.3 6.8 6 0;1.7 4.0 7 0;
3.7 6.1 5 1;3.3 6.3 7 1;4.2 7.7 6 1;3.5 6.2 5 1;2.9 5.7 9 0;2.1 4.8 7 1;2.8 6.2 8 0;4.0 7.0 7 1;
3.3 5.7 6 1;3.7 6.9 5 1;3.6 6.6 5 1
"""
TABLE = np.array([row.split() for row in ROWS.split(";")], float)
ILL = TABLE[:, 3] == 1
SCORES = np.column_stack([10 - TABLE[:, 2], TABLE[:, 0], TABLE[:, 1]])  # K-G, albumin, protein


def aucs(positive, scores):
    """Return the AUCs and their covariance."""
    cases, controls = placements(positive, scores)
    assert cases.mean(axis=0) == pytest.approx(controls.mean(axis=0))
    return cases.mean(axis=0), covariance(cases, controls)


def test_one_auc_of_ten_counts():
    """Grades 1 to 5 of 72 controls and 41 cases, as pROC's test prints their variance."""
    scores = np.repeat([1.0, 2, 3, 4, 5, 1, 2, 3, 4, 5], [37, 20, 3, 8, 4, 2, 12, 1, 8, 18])
    positive = np.arange(len(scores)) >= 72
    (auc,), ((variance,),) = aucs(positive, scores.reshape(-1, 1))
    assert auc == pytest.approx(0.823678861788618, rel=1e-14)
    assert variance == pytest.approx(0.00146991470882363, rel=1e-13)
    low, high = stats.norm.interval(0.95, auc, np.sqrt(variance))
    assert (low, high) == pytest.approx((0.7485348878, 0.8988228358), abs=1e-10)


def test_three_published_aucs_and_their_joint_contrast():
    found, joint = aucs(ILL, SCORES)
    assert found == pytest.approx([0.7258, 0.7366, 0.6478], abs=5e-5)
    assert np.sqrt(np.diag(joint)) == pytest.approx([0.1028, 0.0927, 0.1000], abs=5e-5)
    contrast = np.array([[-1, 1, 0], [-1, 0, 1]])
    away = contrast @ found
    chi2 = away @ np.linalg.solve(contrast @ joint @ contrast.T, away)
    assert chi2 == pytest.approx(2.5340, abs=5e-5)
    assert stats.chi2.sf(chi2, 2) == pytest.approx(0.2817, abs=5e-5)


@pytest.mark.parametrize(
    ("column", "difference", "error", "low", "high", "chi2", "p"),
    [
        (1, 0.0108, 0.0953, -0.1761, 0.1976, 0.0127, 0.9102),
        (2, -0.0780, 0.1046, -0.2830, 0.1271, 0.5554, 0.4561),
    ],
)
def test_the_published_pairs(column, difference, error, low, high, chi2, p):
    found = compare(ILL, SCORES[:, column], SCORES[:, 0], 0.95)
    assert found.difference == pytest.approx(difference, abs=5e-5)
    assert found.difference is not None
    assert found.statistic is not None
    assert found.difference / found.statistic == pytest.approx(error, abs=5e-5)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert found.statistic**2 == pytest.approx(chi2, abs=5e-5)
    assert found.p == pytest.approx(p, abs=5e-5)
    assert found.note == CAVEAT


def test_it_is_the_definition():
    """Every pair of rows counted, with ties, against the ranks."""
    rng = np.random.default_rng(3)
    positive = rng.uniform(size=60) < 0.4
    scores = np.round(rng.uniform(size=(60, 2)), 1)
    cases, controls = placements(positive, scores)
    for column in range(2):
        x, y = scores[positive, column], scores[~positive, column]
        beats = np.sign(x[:, None] - y[None, :]) / 2 + 0.5
        assert cases[:, column] == pytest.approx(beats.mean(axis=1))
        assert controls[:, column] == pytest.approx(beats.mean(axis=0))
        assert cases[:, column].mean() == pytest.approx(roc_auc_score(positive, scores[:, column]))
    _, joint = aucs(positive, scores)
    found = compare(positive, scores[:, 0], scores[:, 1], 0.95)
    variance = joint[0, 0] + joint[1, 1] - 2 * joint[0, 1]
    assert found.difference is not None
    assert found.statistic is not None
    assert (found.difference / found.statistic) ** 2 == pytest.approx(variance)


def test_the_same_order_of_rows_is_no_difference():
    scores = SCORES[:, 1]
    found = compare(ILL, scores, scores**3, 0.95)
    assert (found.difference, found.p, found.low, found.statistic) == (0.0, 1.0, None, None)
    assert "same values" in found.note


def test_without_variance_there_is_no_test():
    positive = np.array([True, True, False, False])
    scores = np.array([0.9, 0.8, 0.2, 0.1])
    found = compare(positive, scores, -scores, 0.95)
    assert (found.difference, found.p) == (1.0, None)
    assert found.note.startswith("none: all differences are the same")


@pytest.mark.parametrize("positives", [0, 1, 4, 5])
def test_a_class_of_one_row_has_no_variance(positives):
    found = compare(np.arange(5) < positives, np.arange(5.0), np.arange(5.0)[::-1], 0.95)
    assert (found.difference, found.p) == (None, None)
    assert "two positive and two negative" in found.note
