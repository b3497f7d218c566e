"""Several targets a row: numbers, and labels that may be true together."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet
from sklearn import datasets, linear_model, metrics, multioutput
from sklearn.preprocessing import StandardScaler

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.comparison.models import read_models
from foldproof.tasks.comparison.tables import compare_tables
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.report.finished import FinishedRun
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from tests.support.inputs import Prepare
from tests.support.reference import reference
from tests.support.reports import finish
from tests.support.training import settings, train_some

NAMES = ["Weight", "Waist", "Pulse"]
RIDGE = {"builder": "sklearn.linear_model:Ridge"}
NEIGHBOURS = {"builder": "sklearn.neighbors:KNeighborsClassifier", "params": {"n_neighbors": 5}}
LABELS = ["odd", "big", "round"]


def exercises() -> pd.DataFrame:
    """Three measures of twenty men, to be told from three exercises."""
    found = datasets.load_linnerud(as_frame=True)
    return pd.concat([found.data, found.target], axis=1)


def digits() -> pd.DataFrame:
    """Handwritten digits with three labels each."""
    found = datasets.load_digits()
    table = pd.DataFrame(found.data[:300], columns=[f"p{i}" for i in range(64)])
    digit = found.target[:300]
    table["odd"], table["big"] = digit % 2, digit > 4
    return table.assign(round=np.isin(digit, (0, 6, 8, 9)).astype(float))


def numbers(out: Any, **sections: Any) -> dict[str, Any]:
    data = {"source": exercises(), "target": NAMES} | sections.pop("data", {})
    train = {"epochs": 4, "target_scaler": "auto"} | sections.pop("train", {})
    return settings(out, "values", data=data, train=train, split={"n_splits": 4}, **sections)


def labels(out: Any, **sections: Any) -> dict[str, Any]:
    data = {"source": digits(), "target": LABELS} | sections.pop("data", {})
    train = {"epochs": 3} | sections.pop("train", {})
    builder = sections.pop("builder", "tasks.models:mlp")
    return settings(out, builder, data=data, train=train, **sections)


def digests(records: Any) -> list[Any]:
    assert [record.error for record in records] == [None] * len(records), records[0].traceback
    return [(record.initial, record.weights, record.predictions) for record in records]


@pytest.mark.parametrize(("make", "width"), [(numbers, 3), (labels, 3)])
def test_the_bits_are_those_of_a_loop_by_hand_on_every_engine(tmp_path, slots, make, width):
    builder = "values" if make is numbers else "many_labels"
    model = {"builder": f"tests.support.zoo:{builder}"}
    places = [(0, 2), (0, 1)]
    one, (job, _) = train_some(make(tmp_path / "a") | {"model": model}, places, slots)
    plain = make(tmp_path / "b", train={"engine": "plain"}) | {"model": model}
    other, _ = train_some(plain, places[::-1], slots)
    assert digests(one) == digests(other)[::-1]
    assert [record.notice for record in one] == ["", ""]
    by_hand = make(tmp_path / "c") | {"model": model}
    assert digests(one)[0] == reference(by_hand, places[0], tmp_path, slots)
    assert read_fold(job.store, job.key).raw.shape[1] == width


@pytest.mark.parametrize("make", [numbers, labels])
def test_early_stopping_agrees_between_engines(tmp_path, slots, make):
    found = []
    for engine in ("auto", "plain"):
        train = {"early_stopping": {"patience": 1}, "epochs": 8, "engine": engine}
        records, _ = train_some(make(tmp_path / engine, train=train), [(0, 0)], slots)
        found += digests(records)
    assert found[0] == found[1]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    out = tmp_path_factory.mktemp("numbers")
    return finish(out, data={"source": exercises(), "target": NAMES}, model=RIDGE)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    out = tmp_path_factory.mktemp("labels")
    return finish(out, data={"source": digits(), "target": LABELS}, model=NEIGHBOURS)


def test_a_regression_of_several_targets_is_measured_as_by_hand(measured):
    table, predictions = exercises(), measured.tables.predictions.to_pandas()
    assert list(predictions.columns[4:]) == [
        f"{kind}_{name}" for name in NAMES for kind in ("y_true", "y_pred")
    ]
    for fold in measured.tables.folds.to_pylist():
        test = predictions[predictions.fold == fold["fold"]]
        training = table.drop(index=test.row)
        features = training.drop(columns=NAMES).to_numpy(np.float32)
        scaler = StandardScaler().fit(features)
        model = linear_model.Ridge().fit(scaler.transform(features), training[NAMES])
        rows = table.loc[test.row].drop(columns=NAMES).to_numpy(np.float32)
        predicted = model.predict(scaler.transform(rows)).astype(np.float64)
        assert np.array_equal(test[[f"y_pred_{name}" for name in NAMES]], predicted)
        truth = table.loc[test.row, NAMES]
        each = metrics.mean_absolute_error(truth, predicted, multioutput="raw_values")
        found = [fold[f"neg_mean_absolute_error_{name}"] for name in NAMES]
        np.testing.assert_allclose(found, -each, rtol=1e-12)
        np.testing.assert_allclose(fold["neg_mean_absolute_error"], -each.mean(), rtol=1e-12)
        np.testing.assert_allclose(fold["r2"], metrics.r2_score(truth, predicted), rtol=1e-9)


def test_labels_are_measured_as_by_hand(told):
    predictions, table = told.tables.predictions.to_pandas(), digits()
    assert list(predictions.columns[4:]) == [
        f"{kind}_{name}" for name in LABELS for kind in ("y_true", "y_pred", "score")
    ]
    for fold in told.tables.folds.to_pylist():
        test = predictions[predictions.fold == fold["fold"]]
        truth = table.loc[test.row, LABELS].to_numpy(int)
        assert np.array_equal(test[[f"y_true_{name}" for name in LABELS]], truth)
        scores = test[[f"score_{name}" for name in LABELS]].to_numpy()
        predicted = test[[f"y_pred_{name}" for name in LABELS]].to_numpy()
        assert np.array_equal(predicted, scores >= 0.5)
        areas = metrics.roc_auc_score(truth, scores, average=None)
        np.testing.assert_allclose([fold[f"roc_auc_{name}"] for name in LABELS], areas, rtol=1e-12)
        np.testing.assert_allclose(fold["roc_auc"], np.mean(areas), rtol=1e-12)
        recalls = metrics.recall_score(truth, predicted, average=None)
        np.testing.assert_allclose([fold[f"sensitivity_{n}"] for n in LABELS], recalls, rtol=1e-12)
        others = metrics.recall_score(1 - truth, 1 - predicted, average=None)
        np.testing.assert_allclose([fold[f"specificity_{n}"] for n in LABELS], others, rtol=1e-12)


def test_the_estimator_of_labels_is_scikit_learns(told):
    from sklearn.neighbors import KNeighborsClassifier

    table, predictions = digits(), told.tables.predictions.to_pandas()
    test = predictions[predictions.fold == 1]
    training = table.drop(index=test.row)
    scaler = StandardScaler().fit(training.drop(columns=LABELS).to_numpy(np.float32))
    features = scaler.transform(training.drop(columns=LABELS).to_numpy(np.float32))
    model = KNeighborsClassifier(5).fit(features, training[LABELS].to_numpy(int))
    rows = scaler.transform(table.loc[test.row].drop(columns=LABELS).to_numpy(np.float32))
    by_hand = [scores[:, 1] for scores in model.predict_proba(rows)]
    assert np.array_equal(test[[f"score_{n}" for n in LABELS]].to_numpy().T, by_hand)


def test_summary_and_page_have_the_mean_and_each(measured, told):
    summary = told.tables.summary.to_pandas().set_index("metric")
    columns = [name for m in ("roc_auc", "sensitivity", "specificity") for name in (m, *each(m))]
    assert list(summary.index) == columns
    folds = told.tables.folds.to_pandas()
    np.testing.assert_allclose(summary["mean"], folds[columns].mean().to_numpy())
    np.testing.assert_allclose(summary.pooled["roc_auc"], summary.pooled[each("roc_auc")].mean())
    aucs = ["roc_auc", "sensitivity", *each("roc_auc")]
    assert all("corrected t" in summary.ci_method[name] for name in aucs)
    assert all("Clopper-Pearson" in summary.ci_method[name] for name in each("sensitivity"))
    page = (told.path / "report.html").read_text()
    assert "roc_auc_round" in page
    counts = digits()[LABELS].sum().astype(int)
    shown = ", ".join(f"&#39;{name}&#39; ({count})" for name, count in counts.items())
    assert f"labels: {shown}" in page
    assert "targets: &#39;Weight&#39; from 138 to 247" in (
        (measured.path / "report.html").read_text()
    )


def each(metric: str) -> list[str]:
    return [f"{metric}_{name}" for name in LABELS]


def test_a_report_of_several_targets_checks_itself(measured, told):
    for made in (measured, told):
        run = FinishedRun.read(made.path)
        assert list(run.wrong_metrics()) == []
        assert list(run.damaged_files()) == []
        assert run.facts is not None
        assert [one.name for one in run.facts.several] == list(made.run.dataset.targets)
    folds = parquet.read_table(told.path / "folds.parquet").to_pandas()
    assert "roc_auc_big" in folds.columns


def test_models_of_several_targets_are_compared_by_their_means(told, tmp_path):
    other = finish(
        tmp_path,
        data={"source": digits(), "target": LABELS},
        model=NEIGHBOURS | {"params": {"n_neighbors": 1}},
    )
    tables = compare_tables(read_models([told.path, other.path]))
    pairs = tables.pairs.to_pandas().set_index("metric")
    means = (made.tables.summary.to_pandas().set_index("metric")["mean"] for made in (told, other))
    first, second = (float(mean["roc_auc"]) for mean in means)
    np.testing.assert_allclose(pairs.loc[["roc_auc"], "difference"], first - second)


def test_a_label_without_a_value_leaves_the_mean_without_one(tmp_path):
    table = digits().head(60).assign(rare=0)
    table.loc[3, "rare"] = 1
    made = finish(
        tmp_path,
        data={"source": table, "target": ["odd", "rare"]},
        model=NEIGHBOURS,
        split={"n_splits": 5},
    )
    folds = made.tables.folds.to_pandas()
    assert folds.roc_auc_rare.notna().sum() == 1
    assert folds.roc_auc_odd.notna().all()
    assert np.array_equal(folds.roc_auc.notna(), folds.roc_auc_rare.notna())
    assert {line[2] for line in made.tables.undefined} >= {"roc_auc", "roc_auc_rare"}
    messages = [one.message for one in made.findings]
    assert any(text.startswith("rare: in all folds, every row has the same") for text in messages)


def test_files_frames_and_arrays_are_the_same_data(prepare: Prepare, tmp_path: Path):
    table = exercises()
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_parquet(tmp_path / "a.parquet", index=False)
    features, targets = table.drop(columns=NAMES).to_numpy(), table[NAMES].to_numpy()
    np.savez(tmp_path / "a.npz", X=features, y=targets)
    files = [
        prepare(source=str(tmp_path / f"a.{kind}"), target=NAMES) for kind in ("csv", "parquet")
    ]
    arrays = [
        prepare(source=str(tmp_path / "a.npz")),
        prepare(DataSpec.from_arrays(features, targets)),
    ]
    assert len({dataset.digest for dataset in (*files, *arrays)}) == 1
    assert [dataset.targets for dataset in files] == [tuple(NAMES)] * 2
    assert [dataset.targets for dataset in arrays] == [("0", "1", "2")] * 2
    assert {(dataset.task, dataset.outputs) for dataset in (*files, *arrays)} == {("regression", 3)}


def test_a_list_of_one_target_is_that_target(prepare: Prepare):
    one, listed = (prepare(DataSpec(source="diabetes", target=t)) for t in ("target", ["target"]))
    assert one.digest == listed.digest
    assert listed.settings.target == "target"


@pytest.mark.parametrize(
    ("data", "sections", "refused"),
    [
        (
            {"target": ["Weight", "Wasit"]},
            {},
            "data.target: no column 'Wasit'; did you mean Waist?",
        ),
        ({"target": ["Weight", "Weight"]}, {}, "data.target: column 'Weight' is named twice"),
        ({"target": ["Weight", "Waist"], "groups": "Waist"}, {}, "is also data.target"),
        ({"target": NAMES, "task": "binary"}, {}, "data.task: binary has one target, but there"),
        ({"target": NAMES, "task": "multilabel"}, {}, "data.task: multilabel needs 0 and 1, but"),
        ({"target": "Weight", "task": "multilabel"}, {}, "needs several targets, but there is one"),
        ({"target": NAMES, "positive": 1}, {}, "data.positive: only binary tasks have one"),
        (
            {"target": NAMES},
            {"split": {"method": "stratified_kfold"}},
            "needs classes, not numbers",
        ),
        (
            {"target": NAMES},
            {"train": {"class_weight": "balanced"}},
            "train.class_weight: a regression has no classes",
        ),
        ({"target": NAMES}, {"metrics": ["roc_auc"]}, "roc_auc does not fit a regression task"),
    ],
)
def test_what_does_not_fit_several_targets_is_refused_in_a_line(tmp_path, data, sections, refused):
    given = settings(tmp_path, "values", data={"source": exercises()} | data, **sections)
    assert refused in refusal(given)


@pytest.mark.parametrize(
    ("columns", "sections", "refused"),
    [
        ({}, {"split": {"method": "stratified_kfold"}}, "needs classes, not several labels a row"),
        (
            {},
            {"train": {"class_weight": "balanced"}},
            "train.class_weight: rows of several labels have no one class; leave it out",
        ),
        (
            {},
            {"train": {"sampler": "SMOTE"}},
            "train.sampler: rows of several labels have no one class; leave it out",
        ),
        ({}, {"train": {"target_scaler": "auto"}}, "auto, but labels are not scaled; leave it out"),
        ({}, {"metrics": ["r2"]}, "r2 does not fit a binary task"),
        ({"odd": 3}, {}, "data.target: 'big', 'round' holds 0 and 1 only, 'odd' other numbers"),
        ({"odd": 1}, {}, "data.target: 'odd' is 1 in all rows; both values are needed"),
        ({"odd": "yes"}, {}, "data.target: 'odd' holds text; several targets are 0 and 1"),
        ({"odd": np.nan}, {}, "data.target: 'odd': 300 of 300 values are missing"),
    ],
)
def test_what_does_not_fit_labels_is_refused_in_a_line(tmp_path, columns, sections, refused):
    data = {"source": digits().assign(**columns), "target": LABELS}
    assert refused in refusal(settings(tmp_path, "values", data=data, **sections))


def refusal(given: dict[str, Any]) -> str:
    with launched(study(given)) as run, pytest.raises(InputError) as refused:
        _divide(run)
    return str(refused.value)


def _divide(run: Run) -> None:
    run.load_data()
    run.split_rows()


def study(given: dict[str, Any]) -> Run:
    return Run(parse_study(given), Display("quiet"))


def test_folds_of_labels_are_plain_ones_and_that_is_said(tmp_path):
    with launched(study(labels(tmp_path))) as run:
        assert run.plan.method == "kfold"
        (said,) = run.plan.notices
    assert said == "rows have several labels, so folds are not stratified: split.method is kfold"


def test_a_one_hot_array_is_told_and_may_be_labels(prepare: Prepare):
    rows, one_hot = np.arange(12.0).reshape(6, 2), np.eye(3, dtype=int)[[0, 1, 2, 0, 1, 2]]
    with pytest.raises(InputError, match=r"give y\.argmax\(axis=1\) \(or data\.task multilabel"):
        prepare(DataSpec.from_arrays(rows, one_hot))
    assert prepare(DataSpec.from_arrays(rows, one_hot, task="multilabel")).task == "multilabel"
    assert prepare(DataSpec.from_arrays(rows, one_hot | (np.arange(6) == 1)[:, None])).outputs == 3


@pytest.mark.parametrize(
    ("builder", "make", "refused"),
    [
        ("tests.support.unfit:one_unit", numbers, "1 output, but a regression task needs 3"),
        ("tests.support.unfit:one_unit", labels, '; end it in Dense(n_outputs, "sigmoid")'),
        ("tests.support.zoo:values", labels, "not in [0, 1]; end the model in sigmoid"),
        ("sklearn.linear_model:LogisticRegression", labels, "MultiOutputClassifier"),
        ("sklearn.svm:SVR", numbers, "MultiOutputRegressor"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_before_anything_trains(
    tmp_path, slots, builder, make, refused
):
    given = make(tmp_path) | {"model": {"builder": builder}}
    run = Run(parse_study(given), Display("quiet"), slots=slots)
    with launched(run), pytest.raises(InputError) as error:
        run.check()
    assert refused in str(error.value)


def test_a_wrapped_estimator_gives_a_score_a_label(tmp_path):
    wrapped = multioutput.MultiOutputClassifier(linear_model.LogisticRegression(max_iter=500))
    made = finish(tmp_path, data={"source": digits(), "target": LABELS}, model={"builder": wrapped})
    assert made.tables.summary.to_pandas()["mean"].min() > 0.6
