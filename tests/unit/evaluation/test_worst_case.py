"""The worst case stands beside every mean that leaves failed folds out."""

import numpy as np
import pytest

from foldproof.tasks.evaluation.measure import compute_metric
from foldproof.tasks.evaluation.metrics import usual_metrics, value_range
from foldproof.tasks.evaluation.predictions import Predictions
from foldproof.tasks.evaluation.worst_case import worst_case_mean
from foldproof.tasks.report.page import render
from foldproof.tasks.report.result import summary_text
from tests.support.reports import REGRESSOR, finish

CANCER = {"source": "breast_cancer"}


def fails_once(repeat, fold):
    return "ValueError: boom" if fold == 1 else None


@pytest.fixture(scope="module")
def incomplete(tmp_path_factory):
    return finish(tmp_path_factory.mktemp("out"), fails_once, data=CANCER)


def test_failed_folds_count_as_the_lowest_value(incomplete):
    folds = incomplete.tables.folds
    values = [value for value in folds["roc_auc"].to_pylist() if value is not None]
    assert len(values) == 2
    assert worst_case_mean(folds, "roc_auc", 2) == sum(values) / 3
    correlation = folds.append_column("matthews_corrcoef", [[1.0, None, 0.5]])
    assert worst_case_mean(correlation, "matthews_corrcoef", 2) == pytest.approx(0.5 / 3)


def test_it_is_printed_and_in_the_report(incomplete):
    head, first, *_ = summary_text(incomplete.path).splitlines()
    assert head.split()[1:4] == ["mean", "worst", "case"]
    shown = f"{worst_case_mean(incomplete.tables.folds, 'roc_auc', 2):.4f}"
    assert first.split()[2] == shown
    page = render(incomplete.tables, incomplete.run.key, ())
    assert "<th>worst case</th>" in page
    assert f"<td>{shown}</td>" in page


def test_there_is_none_without_a_bound_or_without_a_failure(tmp_path):
    complete = finish(tmp_path / "a", data=CANCER)
    assert worst_case_mean(complete.tables.folds, "roc_auc", 2) is None
    assert "worst" not in summary_text(complete.path)
    unbounded = finish(tmp_path / "b", fails_once, data={"source": "diabetes"}, model=REGRESSOR)
    assert worst_case_mean(unbounded.tables.folds, "r2", 0) is None
    assert summary_text(unbounded.path).splitlines()[1].split()[2] == "-"


@pytest.mark.parametrize(
    "metric",
    [*usual_metrics("binary"), "f1", "average_precision", "matthews_corrcoef", "neg_brier_score"],
)
def test_the_lowest_value_is_reached_by_predictions_that_are_all_wrong(metric):
    truth = np.arange(8) % 2
    wrong = Predictions(truth, 1 - truth, (1.0 - truth).astype(np.float64).reshape(-1, 1), 2)
    value = compute_metric(metric, wrong).value
    assert value is not None
    if metric == "average_precision":  # approached with ever fewer positives
        assert 0 < value < 1
    else:
        assert value == value_range(metric, 2)[0]


def test_averages_over_classes_have_the_bounds_of_what_they_average():
    for metric in ("f1_macro", "roc_auc_ovr", "roc_auc_ovo_weighted", "recall_weighted"):
        assert value_range(metric, 3)[0] == 0.0
    for metric in ("r2", "neg_log_loss", "neg_max_error", "d2_brier_score"):
        assert value_range(metric, 3)[0] is None
