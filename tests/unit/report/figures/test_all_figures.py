"""Which figures a page has, for which predictions, and that each is told in words."""

from dataclasses import replace

import pyarrow as pa
import pytest

from foldproof.tasks.evaluation.schemas import history_schema, summary_schema
from foldproof.tasks.evaluation.tables import Tables
from foldproof.tasks.report.figures.all_figures import figures, forest
from foldproof.tasks.report.figures.lines import MOST_LINES
from tests.support.scored import (
    binary_table,
    history_table,
    multiclass_table,
    regression_table,
)

BINARY = ["roc", "pr", "calibration", "threshold", "decision", "scores"]
NONE = pa.table({})
NO_HISTORY = history_schema().empty_table()


def tables(predictions, history=NO_HISTORY):
    return Tables(NONE, history, predictions, NONE, NONE, (), 0, "")


def names(found, threshold=0.5):
    return [picture.name for picture in figures(found, threshold)]


def test_each_task_has_its_figures():
    assert names(tables(binary_table(), history_table())) == [*BINARY, "learning0"]
    assert names(tables(multiclass_table())) == ["roc", "pr", "scores"]
    assert names(tables(regression_table())) == ["predicted", "residuals"]


def test_predictions_of_another_form_have_none():
    odd = regression_table().rename_columns(
        [name.replace("y_true", "y_true_a") for name in regression_table().column_names]
    )
    assert names(tables(odd)) == []
    assert names(tables(odd, history_table())) == ["learning0"]


@pytest.mark.parametrize("scale", [1e-300, 1e150, 1e300])
def test_values_of_any_size_are_no_obstacle(scale):
    found = names(tables(regression_table(scale=scale)))
    assert found == (["predicted", "residuals"] if scale < 1 else [])


def test_a_single_row_or_class_is_no_obstacle():
    assert names(tables(binary_table(folds=1, rows=1)))[-1] == "scores"
    assert names(tables(regression_table(folds=1, rows=1))) == ["predicted", "residuals"]


def test_every_figure_is_told_in_words_with_its_numbers():
    for table in (binary_table(repeats=2), multiclass_table(), regression_table()):
        for picture in figures(tables(table, history_table()), 0.5):
            assert f">{picture.title}</title>" in picture.svg
            assert "</desc>" in picture.svg
            assert any(character.isdigit() for character in picture.text), picture.name
            assert "nan" not in picture.text


def test_of_many_folds_the_first_are_drawn():
    few, many = (tables(binary_table(folds=n, rows=20)) for n in (MOST_LINES, 4 * MOST_LINES))
    (small, *_), (large, *_) = figures(few, None), figures(many, None)
    assert len(large.svg) < 1.2 * len(small.svg)
    assert f"the first {MOST_LINES} folds" in large.text


def summary_of(values, **more):
    row = {"metric": "m", "mean": sum(values) / len(values), "ci_low": None, "ci_high": None}
    return pa.Table.from_pylist([row | more], schema=summary_schema())


def test_the_forest_has_an_axis_for_shares_and_one_for_each_other_metric():
    rows = [summary_of([0.5, 0.7], metric=name, ci_low=0.4, ci_high=0.8) for name in "ab"]
    rows.append(summary_of([-50.0, -60.0], metric="c"))
    base = tables(regression_table())
    values = pa.table({"a": [0.5, 0.7], "b": [0.5, 0.7], "c": [-50.0, -60.0]})
    found = forest(replace(base, folds=values, summary=pa.concat_tables(rows)), "90 % ends")
    assert found is not None
    assert found.text.startswith("a: 0.6000, 90 % ends 0.4000 to 0.8000, folds from 0.5000 to")
    assert "c: -55.0000, folds from -60.0000" in found.text
    assert found.svg.count(">\u221260<") == 1


def test_metrics_without_a_value_have_no_forest():
    empty = pa.table({"m": pa.array([None, None], pa.float64())})
    base = replace(tables(regression_table()), folds=empty, summary=summary_of([1.0], mean=None))
    assert forest(base, "") is None
