"""Plots of a result: onto the axes that are given, from the points in its report."""

import re

import numpy as np
import pytest
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from pyarrow import parquet

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.report.result import Result
from tests.support.reports import REGRESSOR, finish


def result_of(out, **more):
    done = finish(out, **more)
    return Result(done.path, done.run_id, len(done.records), 0)


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    return result_of(tmp_path_factory.mktemp("binary"), data={"source": "breast_cancer"})


@pytest.fixture
def ax():
    figure = Figure()
    FigureCanvasSVG(figure)
    return figure.add_subplot()


OF_TWO_CLASSES = ["roc", "precision_recall", "calibration", "thresholds", "decision", "scores"]


@pytest.mark.parametrize("name", OF_TWO_CLASSES)
def test_it_draws_onto_the_axes_that_it_is_given(binary, ax, name):
    assert getattr(binary, f"plot_{name}")(ax) is ax
    assert ax.lines or ax.patches
    assert ax.get_xlabel()
    ax.figure.draw_without_rendering()


def test_the_lines_are_the_points_of_the_report(binary, ax):
    binary.plot_roc(ax)
    table = parquet.read_table(binary.path / "curves.parquet").to_pandas()
    own = table[(table["curve"] == "roc") & (table["fold"] == 1)]
    drawn = [line.get_xydata() for line in ax.lines]
    assert any(np.array_equal(points, own[["x", "y"]].to_numpy()) for points in drawn)
    assert len(drawn) == 1 + 3 + 1  # guessing, the folds, their mean
    assert len(binary.curves) == len(table)


def test_without_axes_a_new_figure_is_made(binary):
    import matplotlib

    with matplotlib.rc_context({"backend": "svg"}):
        from matplotlib import pyplot

        made = binary.plot_roc()
        assert made.figure is pyplot.gcf()
        pyplot.close("all")


def test_a_regression_draws_what_is_left(tmp_path, ax):
    result = result_of(tmp_path, data={"source": "diabetes"}, model=REGRESSOR)
    assert result.plot_predicted(ax) is ax
    assert result.plot_residuals(ax) is ax
    for refused in (result.plot_scores, result.plot_roc, result.plot_learning):
        with pytest.raises(InputError, match="result: this"):
            refused(ax)


def test_a_report_of_an_earlier_version_has_no_curves(binary, tmp_path, ax):
    old = Result(tmp_path, "x", 3, 0)
    with pytest.raises(InputError, match=re.escape("no curve of the kind 'roc'")):
        old.plot_roc(ax)
