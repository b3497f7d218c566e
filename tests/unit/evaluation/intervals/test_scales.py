"""Scales without bounds: inverses, slopes and names."""

import pytest

from foldproof.tasks.evaluation.intervals.scales import is_on_bound, scale_of
from foldproof.tasks.evaluation.metrics import METRICS

CASES = [
    ("sensitivity", 2, 0.93, "logit"),
    ("kappa", 2, -0.2, "atanh"),
    ("r2", 0, -2.5, "log"),
    ("neg_max_error", 0, -7.0, "log"),
    ("neg_brier_score", 2, -0.4, "logit"),
    ("neg_brier_score", 3, -1.4, "logit"),
    ("mutual_info_score", 3, 1.5, "log"),
    ("module:own", 2, 12.0, ""),
]


@pytest.mark.parametrize(("metric", "classes", "value", "name"), CASES)
def test_a_scale_goes_back_where_it_came_from(metric, classes, value, name):
    scale = scale_of(metric, classes)
    assert scale.name == name
    assert scale.backward(scale.forward(value)) == pytest.approx(value, rel=1e-12)
    step = 1e-6
    slope = (scale.forward(value + step) - scale.forward(value - step)) / (2 * step)
    assert scale.slope(value) == pytest.approx(slope, rel=1e-5)
    assert scale.around(value, 0.01)[0] < value < scale.around(value, 0.01)[1]


def test_wide_intervals_do_not_overflow():
    low, high = scale_of("roc_auc", 2).around(0.999999, 1e6)
    assert (low, high) == (0.0, 1.0)


def test_the_ends_of_each_range_are_bounds():
    assert is_on_bound(1.0, "roc_auc", 2)
    assert is_on_bound(-1.0, "neg_brier_score", 2)
    assert not is_on_bound(-1.0, "neg_brier_score", 3)
    assert is_on_bound(0.0, "neg_mean_squared_error", 0)
    assert not is_on_bound(0.0, "r2", 0)
    for metric in METRICS:
        assert is_on_bound(0.0 if metric.name.startswith("neg_") else 1.0, metric.name, 2) or (
            metric.highest is None
        )
