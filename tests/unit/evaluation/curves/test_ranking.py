"""ROC and precision-recall curves are scikit-learn's, and their mean is a mean over folds."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve, roc_curve

from foldproof.tasks.evaluation.curves.ranking import (
    GRID,
    _precision_recall,
    _roc,
    ranking_curves,
)
from foldproof.tasks.evaluation.curves.scored import scored_predictions
from tests.support.scored import binary_table, multiclass_table, regression_table


def curves_by_place(table) -> tuple[Any, dict[Any, Any]]:
    scored: Any = scored_predictions(table)
    found = list(ranking_curves(scored))
    return scored, {(c.kind, c.label, c.repeat, c.fold): c for c in found}


@pytest.mark.parametrize("table", [binary_table(repeats=2), multiclass_table()])
def test_each_folds_curves_are_those_of_scikit_learn(table):
    scored, found = curves_by_place(table)
    codes = [1] if scored.task == "binary" else range(len(scored.classes))
    for fold in scored.folds():
        for code in codes:
            truth, score = fold.truth == code, fold.scores[:, code]
            place = (scored.classes[code], fold.repeat, fold.fold)
            false, true, _ = roc_curve(truth, score)
            own = found["roc", *place]
            np.testing.assert_array_equal(own.x, false)
            np.testing.assert_array_equal(own.y, true)
            precision, recall, _ = precision_recall_curve(truth, score, drop_intermediate=True)
            own = found["pr", *place]
            np.testing.assert_array_equal(own.x[::-1], recall)
            np.testing.assert_array_equal(own.y[::-1], precision)
    expected = len(scored.places) * len(codes) * 2 + 2 * len(codes)
    assert len(found) == expected


def test_short_and_constant_scores_are_no_exception():
    random = np.random.default_rng(0)
    for rows in [2, 2, 3, 3, 4, 5, 6, 7] * 12:
        truth = np.arange(rows) % 2 == 0
        score = random.choice([0.0, 0.5, 0.75, 1.0], rows)
        pairs = zip(roc_curve(truth, score)[:2], _roc(truth, score), strict=True)
        precision, recall, _ = precision_recall_curve(truth, score, drop_intermediate=True)
        own = _precision_recall(truth, score)
        for one, other in (*pairs, (recall[::-1], own[0]), (precision[::-1], own[1])):
            np.testing.assert_array_equal(one, other)


def test_the_mean_is_taken_at_fixed_places():
    _, found = curves_by_place(binary_table())
    mean = found["roc", "yes", None, None]
    folds = [found["roc", "yes", 0, fold] for fold in range(4)]
    np.testing.assert_array_equal(mean.x, GRID)
    at_half = [np.interp(0.505, curve.x, curve.y) for curve in folds]
    near = np.interp(0.505, mean.x, mean.y)
    assert abs(near - np.mean(at_half)) < 0.05
    assert mean.y[0] == 0
    assert mean.y[-1] == 1
    assert (mean.low >= 0).all()
    assert (mean.high <= 1).all()


def test_a_precision_between_two_points_is_that_of_the_next_recall():
    _, found = curves_by_place(binary_table(folds=1))
    curve, mean = found["pr", "yes", 0, 0], found["pr", "yes", None, None]
    for x, y in zip(mean.x, mean.y, strict=True):
        assert y == curve.y[np.flatnonzero(curve.x >= x)[0]]
    assert mean.low is None


def test_folds_of_one_class_have_none_and_all_of_them_give_one_together():
    table = binary_table(folds=40, rows=1)
    table = table.set_column(4, table.schema.field("y_true"), [["no", "yes"] * 20])
    _, found = curves_by_place(table)
    assert set(found) == {(kind, "yes", None, None) for kind in ("roc", "pr")}


def test_a_task_without_classes_has_none():
    assert curves_by_place(regression_table())[1] == {}


def test_many_classes_have_none():
    assert curves_by_place(multiclass_table(classes=21, rows=42))[1] == {}
