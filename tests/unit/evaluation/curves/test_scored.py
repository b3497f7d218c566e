"""Predictions as arrays: told from the columns; of another form, there are none."""

from typing import Any

import numpy as np
import pyarrow as pa

from foldproof.tasks.evaluation.curves.scored import scored_predictions
from tests.support.scored import binary_table, multiclass_table, regression_table


def of(table) -> Any:
    return scored_predictions(table)


def test_the_task_follows_from_the_columns():
    assert of(binary_table()).task == "binary"
    assert of(multiclass_table()).task == "multiclass"
    assert of(regression_table()).task == "regression"


def test_folds_are_the_rows_of_each_place():
    scored = of(binary_table(folds=3, rows=10, repeats=2))
    assert scored.places == ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2))
    assert [len(fold.truth) for fold in scored.folds()] == [10] * 6
    assert scored.repeats == 2
    assert scored.positive.sum() == 30


def test_labels_that_are_numbers_are_found():
    table = binary_table()
    numbers = {"score_no": "score_0", "score_yes": "score_1"}
    table = table.rename_columns([numbers.get(name, name) for name in table.column_names])
    codes = pa.array([int(label == "yes") for label in table["y_true"].to_pylist()])
    for name in ("y_true", "y_pred"):
        table = table.set_column(table.column_names.index(name), name, codes)
    scored = of(table)
    assert scored.classes == ("0", "1")
    np.testing.assert_array_equal(scored.truth, codes)


def test_predictions_of_another_form_are_none():
    table = regression_table()
    several = table.rename_columns([n.replace("y_true", "y_true_a") for n in table.column_names])
    assert of(several) is None
    assert of(table.slice(0, 0)) is None
    lists = pa.array([[1.0]] * table.num_rows)
    shaped = table.set_column(table.column_names.index("y_true"), "y_true", lists)
    assert of(shaped) is None
    assert of(binary_table().drop(["score_no"])) is None
    unknown = pa.array(["maybe"] * 160)
    assert of(binary_table().set_column(4, "y_true", unknown)) is None
