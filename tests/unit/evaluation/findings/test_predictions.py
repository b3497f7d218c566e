"""Predictions that say nothing are a finding, on the terminal and in the report."""

import pyarrow as pa
import pytest

from foldproof.tasks.evaluation.findings.predictions import (
    LEARNED_NOTHING,
    ONE_CLASS,
    ONE_UNIT,
    of_predictions,
)
from tests.support.command import cv


def table(folds, truth, predicted, scores=()):
    """Return predictions of repeat 0: one entry a row; scores are those of class b."""
    columns = {"repeat": [0] * len(folds), "fold": folds, "y_true": truth, "y_pred": predicted}
    if scores:
        columns |= {"score_a": [1 - score for score in scores], "score_b": list(scores)}
    return pa.table(columns)


FOLDS, TRUTH = [0, 0, 1, 1], ["a", "b", "a", "b"]
TOLD = [
    (
        table(FOLDS, TRUTH, ["b"] * 4, (1.0,) * 4),
        f"in all folds, every row has the same prediction; {ONE_UNIT}",
    ),
    (
        table(FOLDS, TRUTH, ["a"] * 4, (0.3, 0.3, 0.4, 0.4)),
        f"in all folds, every row has the same prediction; {LEARNED_NOTHING}",
    ),
    (
        table(FOLDS, TRUTH, ["a"] * 4, (0.3, 0.2, 0.4, 0.1)),
        f"every fold predicts one class only, 'a'; {ONE_CLASS}",
    ),
    (
        table(FOLDS, TRUTH, ["a", "a", "b", "b"], (0.3, 0.2, 0.6, 0.9)),
        f"every fold predicts one class only, 'a' or 'b'; {ONE_CLASS}",
    ),
    (
        table(range(4), TRUTH, ["a"] * 4, (0.3, 0.2, 0.4, 0.1)),
        f"every fold predicts one class only, 'a'; {ONE_CLASS}",
    ),
    (
        table(FOLDS, [1.0, 2.0, 3.0, 4.0], [2.5] * 4),
        f"in all folds, every row has the same prediction; {LEARNED_NOTHING}",
    ),
    (
        table([0] * 10 + [1] * 2, [1.0, 2.0] * 6, [3.0] * 10 + [1.0, 2.0]),
        f"in 1 of 2 folds, such as 0/0, every row has the same prediction; {LEARNED_NOTHING}",
    ),
]
SILENT = [
    table(FOLDS, TRUTH, ["a", "b", "a", "a"], (0.3, 0.9, 0.4, 0.1)),
    table(FOLDS, ["a", "a", "b", "b"], ["a", "a", "b", "b"], (0.3, 0.2, 0.6, 0.9)),
    table(FOLDS, [1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 3.0, 4.0]),
    table(range(4), TRUTH, TRUTH, (0.1, 0.9, 0.1, 0.9)),
    table([], [], []),
]


@pytest.mark.parametrize(("predictions", "line"), TOLD, ids=range(len(TOLD)))
def test_predictions_that_say_nothing_are_told(predictions, line):
    assert [one.text() for one in of_predictions(predictions)] == [f"FP110 {line}"]
    assert len(line) <= 200


@pytest.mark.parametrize("predictions", SILENT, ids=range(len(SILENT)))
def test_other_predictions_are_not(predictions):
    assert list(of_predictions(predictions)) == []


def test_one_softmax_unit_is_told_on_the_terminal_and_in_the_report(here, prefect_api):
    source = (
        "import keras\n"
        "def build(input_shape):\n"
        "    layers = [keras.Input(input_shape), keras.layers.Dense(1, 'softmax')]\n"
        "    return keras.Sequential(layers)\n"
    )
    (here / "unit.py").write_text(source)
    arguments = ["--model", "unit:build", "--train.epochs", "1", "--split.n_splits", "2"]
    ended = cv(*arguments, folder=here, PREFECT_API_URL=prefect_api)
    assert ended.code == 0, ended.err
    line = f"in all folds, every row has the same prediction; {ONE_UNIT}"
    assert line in ended.out + ended.err
    (report,) = (here / "reports" / "runs").iterdir()
    assert "one softmax unit is always 1" in (report / "report.html").read_text()
