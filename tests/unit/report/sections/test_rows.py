"""The tables of rows: counts as scikit-learn has them, and the worst rows, each once."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from foldproof.tasks.evaluation.curves.scored import scored_predictions
from foldproof.tasks.report.sections.rows import MOST_WRONG, confusion, most_wrong
from tests.support.scored import binary_table, multiclass_table, regression_table


@pytest.mark.parametrize("table", [binary_table(repeats=2), multiclass_table()])
def test_the_confusion_matrix_is_scikit_learns(table):
    found = confusion(scored_predictions(table))
    labels = [row.label for row in found]
    truth, predicted = (table[name].to_pylist() for name in ("y_true", "y_pred"))
    expected = confusion_matrix(truth, predicted, labels=labels)
    np.testing.assert_array_equal([row.counts for row in found], expected)
    assert all(sum(row.shares) == pytest.approx(100) for row in found)


def test_a_regression_or_many_classes_have_no_matrix():
    assert confusion(scored_predictions(regression_table())) == []
    assert confusion(scored_predictions(multiclass_table(classes=21, rows=42))) == []
    assert confusion(None) == []


def test_the_most_wrong_rows_come_once_with_their_worst_test():
    table = binary_table(repeats=3)
    found = most_wrong(scored_predictions(table))
    worst: dict[int, float] = {}
    for row in table.to_pylist():
        score = row[f"score_{row['y_true']}"]
        worst[row["row"]] = min(score, worst.get(row["row"], 2.0))
    expected = sorted(worst.items(), key=lambda pair: (pair[1], pair[0]))[:MOST_WRONG]
    assert [(row.position, row.measure) for row in found] == [
        (position, f"{score:.4f}") for position, score in expected
    ]


def test_the_fold_and_labels_are_those_of_the_row():
    table = multiclass_table()
    for wrong in most_wrong(scored_predictions(table)):
        (row,) = [row for row in table.to_pylist() if row["row"] == wrong.position]
        assert wrong.fold == f"{row['repeat']}/{row['fold']}"
        assert (wrong.truth, wrong.predicted) == (row["y_true"], row["y_pred"])


def test_of_a_regression_the_largest_residuals_come_first():
    table = regression_table()
    left = np.abs(table["y_true"].to_numpy() - table["y_pred"].to_numpy())
    found = [row.position for row in most_wrong(scored_predictions(table))]
    assert found == np.argsort(-left)[:MOST_WRONG].tolist()
    assert most_wrong(None) == []
