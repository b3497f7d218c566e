"""Ordinal labels, counts, and targets of any shape."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn import datasets, linear_model, metrics
from sklearn.preprocessing import StandardScaler

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.evaluation.schemas import target_shape
from foldproof.tasks.evaluation.tables import reduce_folds
from foldproof.tasks.report.finished import FinishedRun
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from tests.support.inputs import Prepare
from tests.support.reference import reference
from tests.support.reports import finish
from tests.support.training import settings, train_some

RIDGE = {"builder": "sklearn.linear_model:Ridge"}
POISSON = {"builder": "sklearn.linear_model:PoissonRegressor"}
TREE = {"builder": "sklearn.tree:DecisionTreeClassifier", "params": {"max_depth": 2}}
SHAPE = (8, 8)


def wines() -> pd.DataFrame:
    """Three grades, as numbers that are not in steps of one."""
    found = datasets.load_wine()
    return pd.DataFrame(found.data).assign(grade=found.target * 2 + 1)


def visits() -> pd.DataFrame:
    """How often patients came, by two measures."""
    random = np.random.default_rng(3)
    table = pd.DataFrame(random.normal(size=(120, 2)), columns=["age", "marker"])
    return table.assign(visits=random.poisson(np.exp(1 + 0.5 * table.age)))


def masks() -> tuple[Any, Any]:
    """Digits, and where they have ink."""
    images = datasets.load_digits().images[:90] / 16
    noise = np.random.default_rng(0).normal(scale=0.1, size=images.shape)
    rows = (images + noise).astype(np.float32).reshape(len(images), -1)
    return rows, (images > 0.5).astype(np.float32)


def digests(records: Any) -> list[Any]:
    assert [record.error for record in records] == [None] * len(records), records[0].traceback
    return [(record.initial, record.weights, record.predictions) for record in records]


def of_masks(out: Any, builder: str = "mask", **sections: Any) -> dict[str, Any]:
    train = {"epochs": 2, "loss": "binary_crossentropy"}
    train |= sections.pop("train", {})
    made = settings(out, builder, train=train, split={"n_splits": 3}, **sections)
    return made | {"data": DataSpec.from_arrays(*masks())}


def test_ordinal_labels_are_measured_as_by_hand(tmp_path):
    data = {"source": wines(), "target": "grade", "task": "ordinal"}
    made = finish(tmp_path, data=data, model=TREE)
    assert list(made.tables.summary["metric"].to_pylist()) == [
        *("quadratic_weighted_kappa", "neg_mean_absolute_error", "accuracy")
    ]
    predictions = made.tables.predictions.to_pandas()
    assert set(predictions.y_true) == {1, 3, 5}
    assert list(predictions.columns[-3:]) == ["score_1", "score_3", "score_5"]
    for fold in made.tables.folds.to_pylist():
        test = predictions[predictions.fold == fold["fold"]]
        kappa = metrics.cohen_kappa_score(test.y_true, test.y_pred, weights="quadratic")
        assert fold["quadratic_weighted_kappa"] == kappa
        places = (test.y_true - test.y_pred).abs().mean() / 2  # labels are two apart
        np.testing.assert_allclose(fold["neg_mean_absolute_error"], -places)
    assert list(FinishedRun.read(made.path).wrong_metrics()) == []


def test_counts_are_measured_as_by_hand(tmp_path):
    data = {"source": visits(), "target": "visits", "task": "count"}
    made = finish(tmp_path, data=data, model=POISSON)
    predictions, table = made.tables.predictions.to_pandas(), visits()
    for fold in made.tables.folds.to_pylist():
        test = predictions[predictions.fold == fold["fold"]]
        deviance = metrics.mean_poisson_deviance(test.y_true, test.y_pred)
        assert fold["neg_mean_poisson_deviance"] == -deviance
    training = table.drop(index=test.row)
    features = training[["age", "marker"]].to_numpy(np.float32)
    scaler = StandardScaler().fit(features)
    model = linear_model.PoissonRegressor().fit(
        scaler.transform(features), training.visits.astype(float)
    )
    rows = scaler.transform(table.loc[test.row, ["age", "marker"]].to_numpy(np.float32))
    np.testing.assert_allclose(test.y_pred, model.predict(rows), rtol=1e-5)
    assert "target: 120 counts from 0 to" in (made.path / "report.html").read_text()


@pytest.mark.parametrize(
    ("task", "data"),
    [
        ("ordinal", {"source": wines(), "target": "grade"}),
        ("count", {"source": visits(), "target": "visits"}),
    ],
)
def test_the_bits_of_nets_agree_between_engines(tmp_path, slots, task, data):
    found = []
    for engine in ("auto", "plain"):
        given = settings(
            tmp_path / engine,
            "tasks.models:mlp",
            data=data | {"task": task},
            train={"epochs": 2, "engine": engine, "early_stopping": {"patience": 2}},
        )
        records, (job,) = train_some(given, [(0, 0)], slots)
        found += digests(records)
    assert found[0] == found[1]
    raw = read_fold(job.store, job.key).raw
    assert raw.shape[1] == (3 if task == "ordinal" else 1)
    assert raw.min() >= 0


def test_masks_give_the_same_bits_on_every_engine_and_by_hand(tmp_path, slots):
    places = [(0, 2), (0, 1)]
    one, (job, _) = train_some(of_masks(tmp_path / "a"), places, slots)
    other, _ = train_some(of_masks(tmp_path / "b", train={"engine": "plain"}), places[::-1], slots)
    assert digests(one) == digests(other)[::-1]
    assert one[0].notice == ""
    assert read_fold(job.store, job.key).raw.shape == (30, 64)
    given = of_masks(tmp_path / "c", train={"loss": "auto"})
    auto, _ = train_some(given, places[:1], slots)
    assert digests(auto)[0] == reference(given, places[0], tmp_path, slots)


def test_arrays_keep_their_shape_in_predictions_and_metrics(tmp_path, slots):
    names = ["neg_mean_squared_error", "neg_mean_absolute_error", "mask_dice", "mask_iou"]
    own = "tests.support.shapes:rows_all_right"
    given = of_masks(tmp_path, metrics=[*names, "mask_accuracy", own])
    with launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run:
        run.check()
        records = [train_without_prefect(run, job) for job in run.jobs]
        tables = reduce_folds(run.dataset, run.plan, run.jobs, records, run.metrics)
    schema = tables.predictions.schema
    assert schema.field("y_pred").type == pa.list_(pa.float32(), 64)
    assert json.loads(schema.metadata[b"foldproof.target_shape"]) == list(SHAPE)
    parquet.write_table(tables.predictions, tmp_path / "p.parquet")
    assert target_shape(parquet.read_schema(tmp_path / "p.parquet")) == SHAPE
    targets = masks()[1]
    for fold in tables.folds.to_pylist():
        test = tables.predictions.to_pandas().query(f"fold == {fold['fold']}")
        truth, found = (np.stack(test[name]).reshape(-1, *SHAPE) for name in ("y_true", "y_pred"))
        assert np.array_equal(truth, targets[test.row])
        wide, found_wide = truth.astype(float).ravel(), found.astype(float).ravel()
        assert fold["neg_mean_squared_error"] == -metrics.mean_squared_error(wide, found_wide)
        said = found_wide >= 0.5
        np.testing.assert_allclose(fold["mask_dice"], metrics.f1_score(wide > 0, said))
        np.testing.assert_allclose(fold["mask_iou"], metrics.jaccard_score(wide > 0, said))
        np.testing.assert_allclose(fold["mask_accuracy"], np.mean((wide > 0) == said))
        right = ((found >= 0.5) == (truth > 0)).all(axis=(1, 2)).mean()
        assert fold[own] == right
    assert run.dataset.outputs == 64
    assert np.isfinite(tables.summary.to_pandas()["mean"]).all()


def test_an_estimator_predicts_sequences_and_its_report_checks_itself(tmp_path):
    random = np.random.default_rng(1)
    rows = random.normal(size=(60, 4))
    waves = np.sin(rows[:, :1, None] + np.arange(6).reshape(1, 3, 2))
    data = DataSpec.from_arrays(rows, waves)
    made = finish(tmp_path, data=data, model=RIDGE, train={"target_scaler": "standard"})
    assert made.run.dataset.task == "array"
    assert list(FinishedRun.read(made.path).wrong_metrics()) == []
    predictions = parquet.read_table(made.path / "predictions.parquet")
    assert target_shape(predictions.schema) == (3, 2)
    summary = made.tables.summary.to_pandas().set_index("metric")
    assert summary["mean"]["neg_mean_squared_error"] > -np.var(waves)
    assert "target: 60 arrays of 3 x 2 from" in (made.path / "report.html").read_text()


def test_a_list_of_columns_may_be_an_array(prepare: Prepare):
    table = visits().assign(more=1.5)
    dataset = prepare(DataSpec(source=table, target=["visits", "more"], task="array"))
    assert (dataset.task, dataset.outputs, dataset.targets) == ("array", 2, ())


@pytest.mark.parametrize(
    ("data", "sections", "refused"),
    [
        ({"task": "ordinal", "target": "age"}, {}, "ordinal needs labels, but the target has"),
        ({"task": "ordinal", "target": "name"}, {}, "ordinal needs whole numbers in their order"),
        (
            {"task": "ordinal", "target": "two"},
            {},
            "ordinal needs three labels or more; use binary",
        ),
        ({"task": "count", "target": "age"}, {}, "values are negative, such as"),
        ({"task": "count", "target": "half"}, {}, "1 of 120 values are no whole numbers, such as"),
        ({"task": "count", "target": "name"}, {}, "count needs numbers, but the target is text"),
        ({"task": "count", "target": "none"}, {}, "all counts are 0; there is nothing to learn"),
        ({"task": "array", "target": "age"}, {}, "array needs several values a row"),
        (
            {"task": "count", "target": "visits"},
            {"train": {"target_scaler": "auto"}},
            "auto, but counts are not scaled; leave it out",
        ),
        (
            {"task": "count", "target": "visits"},
            {"train": {"class_weight": "balanced"}},
            "a count has no classes; leave it out",
        ),
        (
            {"task": "ordinal", "target": "visits"},
            {"metrics": ["r2"]},
            "r2 does not fit a ordinal task",
        ),
        ({"task": "regression", "target": "age"}, {"metrics": ["mask_dice"]}, "does not fit"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(tmp_path, data, sections, refused):
    table = visits().assign(name="a", two=np.arange(120) % 2, none=0, half=1.0)
    table.loc[3, "half"], table.loc[4, "name"] = 0.5, "b"
    given = settings(tmp_path, "values", data={"source": table} | data, **sections)
    run = Run(parse_study(given), Display("quiet"))
    with launched(run), pytest.raises(InputError) as error:
        run.load_data()
    assert refused in str(error.value)


@pytest.mark.parametrize(
    ("builder", "task", "refused"),
    [
        (
            "values",
            "array",
            "output has shape (64,), but the target's is (8, 8); end it in Reshape",
        ),
        ("short_mask", "array", "the model has 16 outputs, but a array task needs 64"),
        ("values", "count", "the model gives negative counts; end it in Dense(1, "),
    ],
)
def test_a_model_that_does_not_fit_is_refused_before_anything_trains(
    tmp_path, slots, builder, task, refused
):
    given = of_masks(tmp_path, builder)
    if task == "count":
        data = {"source": visits(), "target": "visits", "task": "count"}
        given = settings(tmp_path, builder, data=data)
    run = Run(parse_study(given), Display("quiet"), slots=slots)
    with launched(run), pytest.raises(InputError) as error:
        run.check()
    assert refused in str(error.value)
