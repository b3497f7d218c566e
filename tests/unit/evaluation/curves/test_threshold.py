"""Metrics at other thresholds are what scikit-learn counts there; net benefit is its formula."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from foldproof.tasks.evaluation.curves.scored import scored_predictions
from foldproof.tasks.evaluation.curves.threshold import (
    GRID,
    METRICS,
    NET_BENEFIT,
    TREAT_ALL,
    threshold_curves,
)
from tests.support.scored import binary_table, regression_table


def of(table) -> Any:
    return scored_predictions(table)


SCORED = of(binary_table())
CURVES: dict[str, Any] = {curve.label: curve for curve in threshold_curves(SCORED)}


@pytest.mark.parametrize("place", [0, 1, 17, 50, 83])
def test_each_point_is_what_is_counted_there(place):
    called = SCORED.scores[:, 1] >= GRID[place]
    (tn, fp), (fn, tp) = confusion_matrix(SCORED.positive, called, labels=[False, True])
    expected = (tp / (tp + fn), tn / (tn + fp), tp / (tp + fp))
    for name, value in zip(METRICS, expected, strict=True):
        assert CURVES[name].y[place] == pytest.approx(value)
    rows, odds = len(called), GRID[place] / (1 - GRID[place])
    assert CURVES[NET_BENEFIT].y[place] == pytest.approx(tp / rows - fp / rows * odds)
    assert CURVES[TREAT_ALL].y[place] == pytest.approx(0.5 - 0.5 * odds)


def test_a_threshold_that_nothing_reaches_has_no_precision():
    assert CURVES["precision"].x[-1] < 1
    assert CURVES["sensitivity"].x[-1] == 1
    assert all(np.isfinite(curve.y).all() for curve in CURVES.values())


def test_rows_of_one_class_have_what_can_be_counted():
    table = binary_table()
    only = table.filter([label == "no" for label in table["y_true"].to_pylist()])
    names = {curve.label for curve in threshold_curves(of(only))}
    assert names == {"specificity", "precision", NET_BENEFIT, TREAT_ALL}


def test_other_tasks_have_none():
    assert list(threshold_curves(of(regression_table()))) == []
