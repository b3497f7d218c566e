"""From stored folds to tables: real estimators, checked against scikit-learn itself."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from sklearn import datasets, linear_model, metrics, model_selection, preprocessing

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.evaluation.schemas import (
    folds_schema,
    history_schema,
    predictions_schema,
    summary_schema,
)
from foldproof.tasks.evaluation.tables import reduce_folds
from foldproof.tasks.folds.initial_state import SharedInitialWeights
from foldproof.tasks.folds.seeds import Role, fold_seed
from foldproof.tasks.store.fold_file import DamagedFold, read_fold, write_fold
from tests.support.reports import (
    ALONE,
    CLASSIFIER,
    REGRESSOR,
    finish,
    found_in,
    prepared,
    settings,
    train,
)

SPLITS: dict[str, Any] = {"split": {"n_splits": 3, "n_repeats": 2}}


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def iris(out):
    return finish(out, **SPLITS)


@pytest.fixture(scope="module")
def cancer(out):
    """A binary task with a text label that counts as positive though it is the smaller one."""
    return finish(out, data={"source": "breast_cancer", "positive": "benign"})


@pytest.fixture(scope="module")
def diabetes(out):
    return finish(out, data={"source": "diabetes"}, model=REGRESSOR)


@pytest.fixture(scope="module")
def half_failed(out):
    fails = {(0, 1): "ValueError: boom"}
    return finish(out, lambda *place: fails.get(place), seed=99, **SPLITS)


def frame(finished, name):
    return getattr(finished.tables, name).to_pandas()


def test_every_table_has_its_schema(iris, diabetes):
    tables = iris.tables
    names = ("accuracy", "balanced_accuracy", "roc_auc_ovr")
    assert tables.folds.schema.equals(folds_schema(names), check_metadata=True)
    assert tables.history.schema.equals(history_schema(), check_metadata=True)
    assert tables.summary.schema.equals(summary_schema(), check_metadata=True)
    numbers = predictions_schema("regression", None, ())
    assert diabetes.tables.predictions.schema.equals(numbers, check_metadata=True)


def test_rows_are_sorted_and_whole(iris):
    folds, predictions = frame(iris, "folds"), frame(iris, "predictions")
    places = [(repeat, fold) for repeat in range(2) for fold in range(3)]
    assert list(zip(folds["repeat"], folds["fold"], strict=True)) == places
    keys = list(zip(*(predictions[c] for c in ("repeat", "fold", "row")), strict=True))
    assert keys == sorted(keys)
    for _, part in predictions.groupby("repeat"):
        assert sorted(part["row"]) == list(range(150))


def test_the_columns_that_place_a_fold(iris):
    folds = frame(iris, "folds")
    assert set(folds["model"]) == {CLASSIFIER["builder"]}
    assert set(folds["status"]) == {"ok"}
    assert folds["error"].isna().all()
    assert (folds["n_train"] + folds["n_test"] == 150).all()
    for row in folds.itertuples():
        assert row.seed == fold_seed(1337, row.repeat, row.fold, Role.MODEL)
    assert list(folds["fold_key"]) == [record.key for record in iris.records]
    assert list(folds["predictions_sha256"]) == [record.predictions for record in iris.records]


@pytest.mark.parametrize(
    "column", ["epochs_run", "best_epoch", "initial_weights_sha256", "weights_sha256", "threshold"]
)
def test_what_an_estimator_of_several_classes_does_not_have_is_null(iris, column):
    assert iris.tables.folds[column].null_count == 6


def test_an_estimator_has_no_history(iris):
    assert iris.tables.history.num_rows == 0


def test_multiclass_columns_hold_labels_and_scores_in_sorted_order(iris):
    predictions = frame(iris, "predictions")
    names = ["setosa", "versicolor", "virginica"]
    assert list(predictions.columns[6:]) == [f"score_{name}" for name in names]
    truth = np.array(names)[datasets.load_iris().target]
    assert (predictions["y_true"] == truth[predictions["row"]]).all()
    best = predictions.iloc[:, 6:].to_numpy().argmax(axis=1)
    assert (predictions["y_pred"] == np.array(names)[best]).all()


def test_multiclass_metrics_follow_from_the_predictions(iris):
    predictions = frame(iris, "predictions")
    for row in frame(iris, "folds").itertuples():
        part = predictions[
            (predictions["repeat"] == row.repeat) & (predictions["fold"] == row.fold)
        ]
        truth, said = part["y_true"], part["y_pred"]
        assert row.accuracy == metrics.accuracy_score(truth, said)
        assert row.balanced_accuracy == metrics.balanced_accuracy_score(truth, said)
        scores = part.iloc[:, 6:].to_numpy()
        auc = metrics.roc_auc_score(truth, scores, multi_class="ovr")
        assert row.roc_auc_ovr == pytest.approx(auc, rel=1e-12)


def test_the_predictions_are_scikit_learns(iris):
    """The same folds, scaler and estimator, put together with scikit-learn alone."""
    X, y = datasets.load_iris(return_X_y=True)
    X = X.astype(np.float32)
    splitter = model_selection.StratifiedKFold(3, shuffle=True, random_state=1337 + 1)
    train_rows, test_rows = list(splitter.split(X, y))[2]
    scaler = preprocessing.StandardScaler().fit(X[train_rows])
    model = linear_model.LogisticRegression(max_iter=1000)
    model.fit(scaler.transform(X[train_rows]), y[train_rows])
    expected = model.predict_proba(scaler.transform(X[test_rows]))
    found = frame(iris, "predictions").query("repeat == 1 and fold == 2")
    np.testing.assert_array_equal(found["row"], test_rows)
    np.testing.assert_allclose(found.iloc[:, 6:].to_numpy(), expected, rtol=1e-4, atol=1e-7)


def test_the_positive_class_comes_last_though_it_is_the_smaller_label(cancer):
    predictions = frame(cancer, "predictions")
    assert list(predictions.columns[6:]) == ["score_malignant", "score_benign"]
    positive = predictions["score_benign"] >= 0.5
    assert (predictions["y_pred"] == np.where(positive, "benign", "malignant")).all()
    np.testing.assert_array_equal(predictions["score_malignant"], 1 - predictions["score_benign"])
    names = np.asarray(datasets.load_breast_cancer().target_names)
    truth = names[datasets.load_breast_cancer().target]
    assert (predictions["y_true"] == truth[predictions["row"]]).all()
    assert (predictions["y_true"] == predictions["y_pred"]).mean() > 0.9


def test_binary_metrics_follow_from_the_predictions(cancer):
    predictions = frame(cancer, "predictions")
    for row in frame(cancer, "folds").itertuples():
        part = predictions[predictions["fold"] == row.fold]
        truth, said = part["y_true"], part["y_pred"]
        assert row.roc_auc == metrics.roc_auc_score(truth == "benign", part["score_benign"])
        assert row.sensitivity == metrics.recall_score(truth, said, pos_label="benign")
        assert row.specificity == metrics.recall_score(truth, said, pos_label="malignant")
        assert row.threshold == 0.5


def test_swapping_the_positive_label_swaps_the_sides(out, cancer):
    other = frame(finish(out, data={"source": "breast_cancer"}), "folds")
    folds = frame(cancer, "folds")
    np.testing.assert_array_equal(other["sensitivity"], folds["specificity"])
    np.testing.assert_array_equal(other["specificity"], folds["sensitivity"])
    np.testing.assert_allclose(other["roc_auc"], folds["roc_auc"], rtol=1e-12)


def test_integer_labels_stay_integers(out):
    predictions = frame(finish(out, data={"source": "blobs"}), "predictions")
    assert list(predictions.columns[6:]) == ["score_0", "score_1"]
    assert predictions["y_true"].dtype == predictions["y_pred"].dtype == np.int64
    assert set(predictions["y_true"]) == {0, 1}


def test_a_regression_has_values_and_no_scores(diabetes):
    predictions, folds = frame(diabetes, "predictions"), frame(diabetes, "folds")
    assert list(predictions.columns[4:]) == ["y_true", "y_pred"]
    target = datasets.load_diabetes().target
    np.testing.assert_array_equal(predictions["y_true"], target[predictions["row"]])
    assert folds["threshold"].isna().all()
    for row in folds.itertuples():
        part = predictions[predictions["fold"] == row.fold]
        assert row.r2 == metrics.r2_score(part["y_true"], part["y_pred"])
        error = metrics.root_mean_squared_error(part["y_true"], part["y_pred"])
        assert row.neg_root_mean_squared_error == -error


def test_a_failed_fold_is_a_row_with_its_error_and_nothing_else(half_failed):
    folds = half_failed.tables.folds.to_pylist()
    (failed,) = [row for row in folds if row["status"] == "failed"]
    assert (failed["repeat"], failed["fold"]) == (0, 1)
    assert failed["error"] == "ValueError: boom"
    given = {"model", "repeat", "fold", "seed", "n_train", "n_test", "status", "error", "fold_key"}
    assert {name for name, value in failed.items() if value is not None} == given
    assert half_failed.tables.failed == 1
    predictions = frame(half_failed, "predictions")
    assert not ((predictions["repeat"] == 0) & (predictions["fold"] == 1)).any()
    assert len(predictions) == 250


def test_the_execution_of_a_failed_fold_says_where_it_failed(half_failed):
    rows = half_failed.tables.execution.to_pylist()
    assert [row["fold_key"] for row in rows] == [record.key for record in half_failed.records]
    assert rows[1]["device"] == "cpu:0"
    assert rows[1]["seconds_fit"] is None
    assert all(row["seconds_fit"] >= 0 for i, row in enumerate(rows) if i != 1)
    assert not any(row["cached"] for row in rows)


def test_a_run_without_any_finished_fold_has_tables_too(out):
    finished = finish(out, lambda *_: "ValueError: boom", seed=7)
    tables = finished.tables
    assert tables.failed == tables.folds.num_rows == 3
    assert tables.predictions.num_rows == 0
    assert tables.summary["mean"].null_count == tables.summary.num_rows == 3


def test_undefined_values_are_null_and_told(out):
    finished = finish(out, **ALONE, metrics=["roc_auc", "accuracy"])
    tables = finished.tables
    assert tables.folds["roc_auc"].null_count == 12
    assert tables.folds["accuracy"].null_count == 0
    assert len(tables.undefined) == 12
    assert tables.undefined[3][:3] == (0, 3, "roc_auc")
    (told,) = (one.message for one in finished.findings if one.code == "FP123")
    assert told.startswith("12 values are undefined and left out of the means, such as roc_auc in")


def with_initial_weights(out, digests):
    """Reduce a run whose stored folds started from weights of the given digests."""
    with prepared(settings(out)) as run:
        records = train(run)
        for job, digest in zip(run.jobs, digests, strict=True):
            stored = read_fold(job.store, job.key)
            object.__setattr__(stored, "initial", digest)
            write_fold(stored, job.store)
        tables = reduce_folds(run.dataset, run.plan, run.jobs, records, run.metrics)
        return [one.message for one in found_in(run, tables) if one.code == "FP122"]


def test_equal_initial_weights_are_told(tmp_path):
    (told,) = with_initial_weights(tmp_path, ["a" * 64] * 3)
    assert told.startswith("every fold started from the same weights")
    with pytest.raises(SharedInitialWeights):
        with_initial_weights(tmp_path, ["a" * 64, "a" * 64, "b" * 64])
    assert with_initial_weights(tmp_path, [None] * 3) == []


def test_predictions_are_held_once(tmp_path):
    """Beside what becomes the table there is room for one repeat, not for all of them."""
    rows, repeats = 40_000, 20
    generator = np.random.default_rng(0)
    X, y = generator.random((rows, 1)), generator.integers(0, 2, rows)
    split = {"n_splits": 2, "n_repeats": repeats}
    given = {"data": DataSpec.from_arrays(X, y), "split": split, "metrics": ["accuracy"]}
    with prepared(settings(tmp_path, **given)) as run:
        records, metrics = train(run), run.metrics
        tracemalloc.start()
        tables = reduce_folds(run.dataset, run.plan, run.jobs, records, metrics)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert tables.predictions.num_rows == rows * repeats
    each = 3 * 8  # bytes of a row's place and labels, until they are Arrow's
    assert most < 1.5 * each * rows * repeats


def test_the_order_of_training_does_not_show(out, iris):
    with prepared(settings(out, **SPLITS)) as run:
        assert [job.key for job in run.jobs] == [record.key for record in iris.records]
        again = reduce_folds(run.dataset, run.plan, run.jobs, iris.records, run.metrics)
    for name in ("folds", "history", "predictions", "summary"):
        assert getattr(again, name).equals(getattr(iris.tables, name))


def test_a_fold_damaged_after_training_is_not_reported(tmp_path):
    with prepared(settings(tmp_path)) as run:
        records = train(run)
        run.jobs[1].store.write_bytes(b"nothing")
        with pytest.raises(DamagedFold):
            reduce_folds(run.dataset, run.plan, run.jobs, records, run.metrics)
