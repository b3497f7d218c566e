"""One row a metric: means, spreads, intervals, pooled values and coverage."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_breast_cancer

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.evaluation.intervals import clopper_pearson, corrected_t, cvauc
from foldproof.tasks.evaluation.intervals.scales import scale_of
from foldproof.tasks.report.result import summary_text
from tests.support.reports import ALONE, REGRESSOR, finish
from tests.support.tested_folds import scored

CANCER = {"source": "breast_cancer"}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def cancer(out):
    return finish(out, data=CANCER)


@pytest.fixture(scope="module")
def repeated(out):
    return finish(out, data=CANCER, split={"n_splits": 3, "n_repeats": 2})


def row(finished, metric):
    (found,) = [r for r in finished.tables.summary.to_pylist() if r["metric"] == metric]
    return found


def values(finished, metric):
    return finished.tables.folds[metric].to_pylist()


def test_there_is_one_row_a_metric_in_the_configured_order(out):
    names = ["specificity", "accuracy", "roc_auc"]
    finished = finish(out, data=CANCER, metrics=names)
    assert finished.tables.summary["metric"].to_pylist() == names
    assert set(finished.tables.summary["model"].to_pylist()) == {
        "sklearn.linear_model:LogisticRegression"
    }


@pytest.mark.parametrize("metric", ["roc_auc", "sensitivity", "specificity"])
def test_mean_and_spread_are_numpys(cancer, metric):
    found = row(cancer, metric)
    assert found["mean"] == np.mean(values(cancer, metric))
    assert found["std"] == np.std(values(cancer, metric), ddof=1)
    assert (found["n_folds"], found["n_planned"]) == (3, 3)


def folds_of(finished):
    predictions = finished.tables.predictions.to_pandas()
    return [
        scored((part["score_malignant"], part["y_true"] == "malignant"), 569 - len(part))
        for _, part in predictions.groupby(["repeat", "fold"])
    ]


def test_an_auc_of_large_folds_has_the_interval_of_its_influence_curve(out):
    halves = finish(out, data=CANCER, split={"n_splits": 2})
    expected = cvauc.interval(folds_of(halves), 0.95)
    found = row(halves, "roc_auc")
    assert (found["ci_low"], found["ci_high"]) == (expected.low, expected.high)
    assert found["ci_method"] == expected.method
    assert found["estimate"] == "mean"


@pytest.mark.parametrize("finished", ["cancer", "repeated"])
def test_a_proportion_has_the_interval_of_its_pooled_counts(finished, request):
    found = row(request.getfixturevalue(finished), "sensitivity")
    low, high = clopper_pearson.bounds(found["pooled"] * 212, 212, 0.95)
    assert (found["ci_low"], found["ci_high"]) == (low, high)
    assert found["ci_method"].startswith("95% Clopper-Pearson, pooled ")
    assert found["ci_method"].endswith(" of 212")
    assert found["estimate"] == "pooled"


def test_an_auc_over_repeats_has_the_corrected_t_interval(repeated):
    n_train, n_test = repeated.tables.folds.to_pandas()[["n_train", "n_test"]].mean()
    scale = scale_of("roc_auc", 2)
    expected = corrected_t.interval(values(repeated, "roc_auc"), n_train, n_test, 0.95, scale)
    found = row(repeated, "roc_auc")
    assert (found["ci_low"], found["ci_high"]) == (expected.low, expected.high)
    assert found["ci_method"] == expected.method


def test_level_and_method_are_settings(out):
    report = {"level": 0.9, "intervals": "wilson"}
    finished = finish(out, data=CANCER, report=report)
    assert row(finished, "roc_auc")["ci_method"].startswith("90% Nadeau-Bengio corrected t")
    assert row(finished, "sensitivity")["ci_method"].startswith("90% Wilson")
    assert finished.run_id != finish(out, data=CANCER).run_id
    assert "90 % interval" in summary_text(finished.path)
    assert "<th>90 % interval</th>" in (finished.path / "report.html").read_text()


def test_groups_make_rows_dependent(out):
    frame = load_breast_cancer(as_frame=True).frame
    data = {"X": frame.drop(columns="target"), "y": frame["target"], "groups": frame.index // 5}
    finished = finish(out, data=DataSpec.from_arrays(**data))
    for metric, estimate in (("roc_auc", "mean"), ("sensitivity", "pooled")):
        found = row(finished, metric)
        assert found["ci_method"] == "95% bootstrap of 114 groups, 2000 draws"
        assert found["ci_low"] < found[estimate] < found["ci_high"]
        assert found["estimate"] == estimate


def test_pooled_is_the_metric_on_all_test_rows_at_once(cancer):
    predictions = cancer.tables.predictions.to_pandas()
    truth, scores = predictions["y_true"] == "malignant", predictions["score_malignant"]
    assert row(cancer, "roc_auc")["pooled"] == metrics.roc_auc_score(truth, scores)
    said = predictions["y_pred"] == "malignant"
    assert row(cancer, "sensitivity")["pooled"] == metrics.recall_score(truth, said)
    assert row(cancer, "roc_auc")["pooled"] != row(cancer, "roc_auc")["mean"]


def test_pooled_is_the_mean_over_repeats(repeated):
    predictions = repeated.tables.predictions.to_pandas()
    by_repeat = [
        metrics.roc_auc_score(part["y_true"] == "malignant", part["score_malignant"])
        for _, part in predictions.groupby("repeat")
    ]
    assert len(by_repeat) == 2
    assert row(repeated, "roc_auc")["pooled"] == np.mean(by_repeat)


def test_folds_in_time_have_no_interval(out):
    split = {"method": "time_series", "n_splits": 3}
    finished = finish(out, data={"source": "diabetes"}, model=REGRESSOR, split=split)
    found = row(finished, "r2")
    assert (found["ci_low"], found["ci_high"]) == (None, None)
    assert found["ci_method"] == "none: folds of time_series are not exchangeable"
    assert found["mean"] is not None
    assert found["n_folds"] == 3


def test_a_failed_fold_leaves_means_of_the_others_and_no_interval(out):
    finished = finish(
        out, lambda _, fold: "ValueError: boom" if fold == 1 else None, data=CANCER, seed=8
    )
    found = row(finished, "roc_auc")
    known = [value for value in values(finished, "roc_auc") if value is not None]
    assert (found["n_folds"], found["n_planned"], len(known)) == (2, 3, 2)
    assert found["mean"] == np.mean(known)
    assert (found["ci_low"], found["ci_high"], found["pooled"]) == (None, None, None)
    assert found["ci_method"] == "none: only 2 of 3 folds have a value"


def test_one_fold_has_no_spread(out):
    finished = finish(out, lambda _, fold: "E: x" if fold else None, data=CANCER, seed=8)
    found = row(finished, "roc_auc")
    assert found["n_folds"] == 1
    assert found["mean"] is not None
    assert found["std"] is None


def test_a_metric_of_single_rows_exists_pooled_only(out):
    finished = finish(out, **ALONE, metrics=["roc_auc"])
    found = row(finished, "roc_auc")
    assert (found["n_folds"], found["n_planned"]) == (0, 12)
    assert (found["mean"], found["std"], found["ci_low"]) == (None, None, None)
    predictions = finished.tables.predictions.to_pandas()
    expected = metrics.roc_auc_score(predictions["y_true"], predictions["score_1"])
    assert found["pooled"] == expected
