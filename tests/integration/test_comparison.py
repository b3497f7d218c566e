"""What a comparison makes of real reports: tables, ranking, page, folder; and what it refuses."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from foldproof.flows.compare import compare_models
from foldproof.tasks.common.digest import digest_file
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.comparison import schemas
from foldproof.tasks.comparison.finished_runs import compare_finished, run_folders
from foldproof.tasks.comparison.folder import write_comparison
from foldproof.tasks.comparison.models import label_models, read_models
from foldproof.tasks.comparison.page import render
from foldproof.tasks.comparison.result import comparison_text
from foldproof.tasks.comparison.studies import Comparison, studies_of
from foldproof.tasks.comparison.tables import compare_tables
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.evaluation.paired_tests import (
    bayesian_t,
    corrected_t,
    delong,
    mcnemar,
    paired_bootstrap,
)
from foldproof.tasks.evaluation.paired_tests.holm import adjust
from foldproof.tasks.report.result import Result
from tests.support.pages import EVIL, Page
from tests.support.reports import ALONE, CLASSIFIER, REGRESSOR, finish

WEAK = {"builder": "sklearn.linear_model:LogisticRegression", "params": {"C": 0.0001}}
BAYES = {"builder": "sklearn.naive_bayes:GaussianNB"}
CANCER: dict[str, Any] = {"data": {"source": "breast_cancer"}, "split": {"n_splits": 4}}


def fails_in_fold_2(_, fold):
    return f"ValueError: {EVIL}" if fold == 2 else None


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def three(out):
    """The reports of three models, all complete."""
    return [finish(out, model=model, **CANCER).path for model in (CLASSIFIER, WEAK, BAYES)]


@pytest.fixture(scope="module")
def frail(out):
    """The report of a model that failed in one fold."""
    model = {"builder": "sklearn.tree:DecisionTreeClassifier"}
    return finish(out, fails_in_fold_2, model=model, **CANCER).path


def compared(*paths):
    models = read_models(paths)
    return models, compare_tables(models)


def rows(table, **values):
    """Return the rows of a table that have some values."""
    return [r for r in table.to_pylist() if all(r[name] == v for name, v in values.items())]


def test_every_metric_pair_and_method_has_its_row(three):
    _, tables = compared(*three)
    assert tables.pairs.schema.equals(schemas.pairs_schema(), check_metadata=True)
    assert tables.models.schema.equals(schemas.models_schema(), check_metadata=True)
    for field in [*tables.pairs.schema, *tables.models.schema]:
        assert field.metadata[b"description"].decode().endswith("."), field.name
    found = [
        (row["metric"], row["first_number"], row["second_number"], row["method"])
        for row in tables.pairs.to_pylist()
    ]
    pairs = [(1, 2), (1, 3), (2, 3)]
    by_folds = (corrected_t.NAME, bayesian_t.NAME)
    of_labels = (*by_folds, mcnemar.EXACT, mcnemar.MID_P, paired_bootstrap.NAME)
    methods = {
        "roc_auc": (*by_folds, delong.NAME, paired_bootstrap.NAME),
        "sensitivity": of_labels,
        "specificity": of_labels,
    }
    assert found == [
        (metric, *pair, name)
        for metric, names in methods.items()
        for pair in pairs
        for name in names
    ]
    sizes = {(row["j"], row["n_train"], row["n_test"]) for row in tables.pairs.to_pylist()}
    assert sizes == {(4, 426.75, 142.25)}


def test_tests_are_of_the_stored_folds_and_predictions(three):
    _, tables = compared(*three)
    folds = [parquet.read_table(path / "folds.parquet") for path in three]
    values = [table["sensitivity"].to_pylist() for table in folds]
    expected = corrected_t.compare(values[0], values[2], 426.75, 142.25, 0.95)
    named = {"metric": "sensitivity", "method": corrected_t.NAME}
    (row,) = rows(tables.pairs, first_number=1, second_number=3, **named)
    assert row["difference"] == pytest.approx(np.mean(values[0]) - np.mean(values[2]))
    assert (row["p"], row["statistic"]) == (expected.p, expected.statistic)
    assert (row["ci_low"], row["ci_high"]) == (expected.low, expected.high)
    stored = [parquet.read_table(path / "predictions.parquet").to_pandas() for path in three[:2]]
    pooled = [table.sort_values("row") for table in stored]
    positive = (pooled[0].y_true == "malignant").to_numpy()
    scores = [table.score_malignant.to_numpy() for table in pooled]
    expected = delong.compare(positive, scores[0], scores[1], 0.95)
    (row,) = rows(tables.pairs, first_number=1, second_number=2, method=delong.NAME)
    assert (row["difference"], row["p"], row["note"]) == (
        expected.difference,
        expected.p,
        delong.CAVEAT,
    )


def test_p_is_adjusted_over_all_pairs_and_metrics_of_a_method(three):
    _, tables = compared(*three)
    for method, size, family in (
        (corrected_t.NAME, 9, "3 pairs, 3 metrics"),
        (delong.NAME, 3, "3 pairs, 1 metric"),
    ):
        found = rows(tables.pairs, method=method)
        assert len(found) == size
        assert [row["p_adjusted"] for row in found] == adjust([row["p"] for row in found])
        assert {row["family"] for row in found} == {f"{size} tests by {method}: {family}"}


def test_models_are_ranked_by_their_mean(three):
    _, tables = compared(*three)
    for metric in ("roc_auc", "sensitivity", "specificity"):
        found = rows(tables.models, metric=metric)
        assert [row["n_folds"] for row in found] == [4, 4, 4]
        by_rank = sorted(found, key=lambda row: row["rank"])
        assert [row["rank"] for row in by_rank] == [1, 2, 3]
        means = [row["mean"] for row in by_rank]
        assert means == sorted(means, reverse=True)
        assert {row["note"] for row in found} == {None}


LESS = """
def wrong(y_true, y_pred):
    return float((y_true != y_pred).mean())


wrong.greater_is_better = False
"""


def test_models_are_ranked_by_what_their_metric_states(here, out, tmp_path):
    (here / "less_is_better.py").write_text(LESS)
    own = {**CANCER, "metrics": ["less_is_better:wrong", "accuracy"]}
    paths = [finish(out, model=model, **own).path for model in (CLASSIFIER, WEAK)]
    models, tables = compared(*paths)
    less, greater = (rows(tables.models, metric=metric) for metric in own["metrics"])
    assert [row["greater_is_better"] for row in (*less, *greater)] == [False, False, True, True]
    assert less[0]["mean"] < less[1]["mean"]
    assert [row["rank"] for row in less] == [row["rank"] for row in greater] == [1, 2]
    said = "greater is better, but less for less_is_better:wrong"
    assert said in render(models, tables)
    assert said in comparison_text(write_comparison(models, tables, tmp_path))


WITHOUT_P = [bayesian_t.NAME, paired_bootstrap.NAME]


def test_a_model_with_a_failed_fold_is_ranked_and_tested_against_nobody(three, frail):
    models, tables = compared(three[0], frail, three[1])
    assert [model.n_failed for model in models] == [0, 1, 0]
    for metric in ("roc_auc", "sensitivity", "specificity"):
        found = rows(tables.models, metric=metric)
        assert [row["rank"] is None for row in found] == [False, True, False]
        assert found[1]["note"] == "not ranked: a value in 3 of the 4 folds where a model has one"
        for pair in ((1, 2), (2, 3)):
            (row,) = rows(tables.pairs, metric=metric, first_number=pair[0], second_number=pair[1])
            assert row["method"].startswith("none: they cover other folds")
            missing = ("difference", "ci_low", "ci_high", "statistic", "p", "p_adjusted", "family")
            assert {row[name] for name in missing} == {None}
    tested = rows(tables.pairs, first_number=1, second_number=3)
    has_p = {row["method"]: row["p"] is not None for row in tested}
    assert [name for name, has in has_p.items() if not has] == WITHOUT_P
    assert {row["family"] for row in tested if row["method"] == corrected_t.NAME} == {
        f"3 tests by {corrected_t.NAME}: 1 pair, 3 metrics"
    }
    assert {(first, second) for _, first, second, _ in tables.differences} == {(1, 3)}


def test_every_model_has_its_share_of_draws_in_which_it_is_the_best(three):
    _, tables = compared(*three)
    for metric in ("roc_auc", "sensitivity", "specificity"):
        shares = [row["probability_best"] for row in rows(tables.models, metric=metric)]
        assert sum(shares) == pytest.approx(1)
        assert min(shares) >= 0


def test_with_one_whole_model_nobody_is_ranked(three, frail):
    _, tables = compared(three[0], frail)
    assert {row["rank"] for row in tables.models.to_pylist()} == {None}
    notes = [row["note"] for row in rows(tables.models, metric="roc_auc")]
    assert notes[0] == "not ranked: no other model has values in the same folds"


def test_values_that_no_fold_has_are_not_compared(out):
    paths = [
        finish(out, **{**ALONE, "model": m, "metrics": ["roc_auc"]}).path for m in (WEAK, BAYES)
    ]
    _, tables = compared(*paths)
    by_folds, by_rows = tables.pairs.to_pylist()
    assert by_folds["method"] == "none: only 0 of 12 folds have a value"
    assert by_rows["method"] == "none by DeLong: leaving a row out shifts its score"
    assert {row[name] for row in (by_folds, by_rows) for name in ("p", "difference")} == {None}
    assert {row["note"] for row in tables.models.to_pylist()} == {"not ranked: no fold has a value"}
    assert "circle" not in Page(render(read_models(paths), tables)).tags


@pytest.mark.parametrize("method", ["time_series", "kfold"])
def test_a_regression(out, method):
    data, split = {"source": "diabetes"}, {"method": method, "n_splits": 3}
    models = (REGRESSOR, {**REGRESSOR, "params": {"alpha": 1000.0}})
    _, tables = compared(*(finish(out, data=data, split=split, model=m).path for m in models))
    found = rows(tables.pairs, method=corrected_t.NAME)
    if method == "time_series":
        found = [row for row in tables.pairs.to_pylist() if row["method"].startswith("none")]
    assert len(found) == 3
    for row in found:
        assert row["difference"] is not None
        if method == "time_series":
            assert row["method"] == "none: folds of time_series are not exchangeable"
            assert row["p"] is None
        else:
            assert 0 < row["p"] <= row["p_adjusted"] <= 1


def test_five_repeats_of_two_halves(out):
    split = {"n_splits": 2, "n_repeats": 5}
    _, tables = compared(*(finish(out, split=split, model=m).path for m in (CLASSIFIER, WEAK)))
    methods = [row["method"] for row in rows(tables.pairs, metric="accuracy")]
    of_halves = ["Dietterich 5x2cv t", "Alpaydin 5x2cv F"]
    assert methods == [corrected_t.NAME, bayesian_t.NAME, *of_halves]
    assert {(row["j"], row["n_train"]) for row in tables.pairs.to_pylist()} == {(10, 75.0)}


def key(builder, train=None, threads=1, **params):
    compute = {"device": "cpu", "threads": threads}
    return {
        "model": {"builder": builder, "params": params},
        "train": train or {},
        "compute": compute,
    }


def test_models_are_named_by_what_tells_them_apart():
    assert label_models([key("a:b", units=3), key("a:c", units=4)]) == ["a:b", "a:c"]
    assert label_models([key("a:b"), key("a:b", units=4), key("a:c")]) == [
        "a:b",
        "a:b (units=4)",
        "a:c",
    ]
    several = [key("a:b", {"epochs": 1, "scaler": "none"}), key("a:b", {"epochs": 2}, threads=2)]
    assert label_models(several) == [
        'a:b (train.epochs=1, train.scaler="none", compute.threads=1)',
        "a:b (train.epochs=2, compute.threads=2)",
    ]


def written(*paths, out):
    models, tables = compared(*paths)
    return write_comparison(models, tables, out)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_runs_give_the_same_bytes(three, tmp_path):
    first, again = (written(*three, out=tmp_path / name) for name in ("a", "b"))
    assert first.name == again.name
    assert contents(first) == contents(again)
    place = first.stat().st_ino
    assert written(*three, out=tmp_path / "a").stat().st_ino == place  # not written anew
    assert set(contents(first)) == {
        *("comparison.parquet", "models.parquet", "manifest.json", "comparison.html")
    }
    manifest = json.loads((first / "manifest.json").read_text())
    assert manifest["key"]["runs"] == [path.name for path in three]
    for name, digest in manifest["files"].items():
        assert digest_file(first / name) == digest
    for run, path in zip(manifest["runs"], three, strict=True):
        assert run["manifest_sha256"] == digest_file(path / "manifest.json")
    other = written(*reversed(three), out=tmp_path / "a")
    assert other.name != first.name
    assert sorted(p.name for p in (tmp_path / "a" / "comparisons").iterdir()) == sorted(
        [first.name, other.name]
    )
    for name in ("comparison.parquet", "models.parquet"):
        file = parquet.ParquetFile(first / name)
        assert file.metadata.num_row_groups == 1


def test_a_complete_comparison_replaces_one_with_holes_and_stays(tmp_path):
    def finished(fails):
        weak = finish(tmp_path, model=WEAK, **CANCER).path
        return written(weak, finish(tmp_path, fails, model=BAYES, **CANCER).path, out=tmp_path)

    holes = contents(finished(fails_in_fold_2))
    folder = finished(lambda *_: None)
    complete = contents(folder)
    assert complete != holes
    runs = tmp_path / "runs"
    shutil.copytree(runs, tmp_path / "kept")
    shutil.rmtree(runs)  # so that the report with a hole is not kept away by the complete one
    assert finished(fails_in_fold_2) == folder
    assert contents(folder) == complete


@pytest.fixture(scope="module")
def evil(out):
    """Reports whose labels and errors hold markup."""
    features = np.random.default_rng(0).normal(size=(30, 3))
    labels = np.where(np.arange(30) % 3 > 0, EVIL, "a & b")
    given: dict[str, Any] = {
        "data": DataSpec.from_arrays(features, labels),
        "metrics": ["roc_auc", "accuracy"],
    }
    weighted: dict[str, Any] = {"train": {"class_weight": {EVIL: 1.0, "a & b": 2.0}}}
    return [
        finish(out, model=WEAK, **given).path,
        finish(out, model=WEAK, **weighted, **given).path,
        finish(out, fails_in_fold_2, model=BAYES, **given).path,
    ]


def test_the_page_is_one_file_of_text_only(evil):
    text = render(*compared(*evil))
    page = Page(text)
    assert {"html", "table", "svg", "circle"} <= set(page.tags)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(page.tags)
    assert not {"src", "href"} & {name for name, _ in page.attributes}
    assert "<script" not in text
    assert EVIL in page.text  # in a model's settings


def test_the_page_tells_what_the_tables_do(evil):
    models, tables = compared(*evil)
    page = Page(render(models, tables))
    assert "1 of 3 folds of model 3 failed." in page.text
    assert page.text.count("Model 3 is not ranked") == 2
    assert page.tags.count("circle") == 2 * 3  # a metric each: one pair, three folds
    for row in tables.pairs.to_pylist():
        assert row["method"] in page.text
        assert row["note"] is None or row["note"] in page.text
    for model in models:
        assert model.label in page.text
        assert model.run_id in page.text


def test_the_text_tells_what_the_tables_do(evil, tmp_path):
    text = comparison_text(written(*evil, out=tmp_path))
    models, tables = compared(*evil)
    assert "3 is not ranked: a value in 2 of the 3 folds where a model has one" in text
    assert delong.CAVEAT in text
    for model in models:
        assert f"{model.number} {model.label}" in text
    for row in tables.pairs.to_pylist():
        assert row["method"] in text
        assert row["family"] is None or f"Holm's, over {row['family']}" in text


# What is refused, before anything is trained


@pytest.fixture
def stored(tmp_path):
    """An output folder that has folds, so that no worker is started for a look at settings."""
    (tmp_path / "folds").mkdir()
    (tmp_path / "folds" / "some.parquet").touch()
    return tmp_path


def refusal(stored: Path, first: dict[str, Any], second: dict[str, Any]) -> str:
    """Return what is said of two studies."""
    base: dict[str, Any] = {"data": {"source": "breast_cancer"}, "out": str(stored)}
    studies = [{**base, "model": CLASSIFIER, **first}, {**base, "model": WEAK, **second}]
    comparison = Comparison(studies_of(studies))
    with pytest.raises(InputError) as caught:
        begin_and_check(comparison)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def begin_and_check(comparison: Comparison) -> None:
    try:
        comparison.begin()
        comparison.check()
    finally:
        comparison.close()


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ({"seed": 1}, {}, "seed: 1 in study 1, 1337 in study 2; compared models need the same"),
        ({}, {"split": {"n_splits": 5}}, "split.n_splits: 10 in study 1, 5 in study 2"),
        ({}, {"split": {"method": "kfold"}}, 'split.method: "auto" in study 1, "kfold" in study 2'),
        ({}, {"metrics": ["roc_auc"]}, 'metrics: ["roc_auc", "sensitivity", "specificity"] in'),
        ({}, {"data": "iris"}, 'data.task: "binary" in study 1, "multiclass" in study 2'),
        (
            {"data": {"source": "breast_cancer", "positive": "benign"}},
            {},
            'data.positive: "benign" in study 1, "malignant" in study 2',
        ),
        (
            {"data": {"source": "breast_cancer", "drop": ["mean radius"]}},
            {},
            'data.drop: ["mean radius"] in study 1, [] in study 2',
        ),
        ({"data": "wine"}, {"data": "iris"}, 'data.source: "wine" in study 1, "iris" in study 2'),
        ({}, {"model": "no_such:thing"}, "study 2: model.builder: "),
        ({}, {"data": "nowhere.csv"}, "study 2: data.source: "),
        ({}, {"train": {"scaler": "foldproof.tasks.folds.seeds:Role"}}, "study 2: train.scaler: "),
        ({}, {"train": {"class_weight": {"x": 1.0}}}, "study 2: train.class_weight"),
        (
            {"data": "diabetes"},
            {"data": "diabetes", "train": {"class_weight": {"x": 1.0}}},
            "study 2: train.class_weight: a regression has no classes; leave it out",
        ),
    ],
)
def test_what_differs_is_refused_by_name(stored, first, second, said):
    assert refusal(stored, first, second).startswith(said)


def test_another_out_is_refused(stored):
    said = refusal(stored, {"out": str(stored / "other")}, {})
    assert said.startswith(f'out: "{stored / "other"}" in study 1, "{stored}" in study 2')


def test_a_model_that_stands_there_twice_is_refused(stored):
    said = refusal(stored, {"model": WEAK}, {"split": {"method": "stratified_kfold"}})
    assert said.startswith("study 2: comes to the same run as study 1 (")


def test_one_study_alone_is_refused(stored):
    with pytest.raises(InputError, match="studies: one alone cannot be compared"):
        Comparison(studies_of([{"out": str(stored)}])).begin()


def test_a_wrong_setting_is_said_with_the_study(stored):
    with pytest.raises(InputError, match=r"study 2: train\.epochs: "):
        studies_of([{}, {"train": {"epochs": 0}}])


def test_what_is_equal_is_read_once_and_workers_are_shared(stored):
    base: dict[str, Any] = {"data": {"source": "breast_cancer"}, "out": str(stored)}
    others: list[dict[str, Any]] = [
        {"model": WEAK},
        {"model": BAYES, "compute": {"threads": 2}},
        {"model": BAYES},
    ]
    studies = [{**base, "model": CLASSIFIER}, *(base | other for other in others)]
    comparison = Comparison(studies_of(studies))
    try:
        comparison.begin()
        first, *rest = comparison.runs
        # Nothing is stored under these keys, so that each looks at its model in a worker.
        comparison.check()
        assert all(run.dataset is first.dataset and run.plan is first.plan for run in rest)
        slots = [run.slots for run in comparison.runs]
        assert slots[1] is slots[0] is slots[3]
        assert slots[2] is not slots[0]
    finally:
        comparison.close()
    assert all(slot.stopped.is_set() for slot in slots)
    assert not any(run.scratch.exists() for run in comparison.runs)


def test_finished_runs_are_compared_without_training(three, out, tmp_path):
    found = compare_finished(three)
    models, tables = compared(*three)
    assert found.path == write_comparison(models, tables, out)
    assert found.n_failed == 0
    assert found.positive == "malignant"
    assert run_folders([path.name for path in three], out) == tuple(three)
    assert run_folders([str(path) for path in three], tmp_path) == tuple(three)
    assert run_folders(["a.yaml", "b.yaml"], out) == ()
    assert compare_models([Result(path, path.name, 4, 0) for path in three]).path == found.path


def test_runs_of_other_data_folds_or_metrics_are_refused_in_one_line(three, out, tmp_path):
    others = {
        "data.source": finish(out, data={"source": "iris"}, metrics=["accuracy"]),
        "split.method": finish(out, data=CANCER["data"], split={"n_splits": 5}),
        "metrics": finish(out, **CANCER, metrics=["accuracy"]),
    }
    for field, other in others.items():
        with pytest.raises(InputError, match=f"^{field}: ") as refused:
            compare_finished([three[0], other.path])
        assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match="is there twice"):
        compare_finished([three[0], three[0]])
    with pytest.raises(InputError, match="is no finished run"):
        run_folders([str(three[0]), "b.yaml"], out)
    damaged = tmp_path / "runs" / three[0].name
    shutil.copytree(three[0], damaged)
    (damaged / "folds.parquet").write_bytes(b"")
    with pytest.raises(InputError, match=r"folds.parquet is not what the manifest says"):
        compare_finished([damaged, three[1]])
