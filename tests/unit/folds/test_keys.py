"""What changes the key of a fold or a run, and what does not."""

import shutil
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from foldproof.tasks.common.digest import canonical_json, digest_json
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.config.yaml_file import read_settings
from foldproof.tasks.evaluation import own_metrics
from foldproof.tasks.folds.fold_jobs import fold_jobs
from foldproof.tasks.folds.keys import run_id, run_key
from foldproof.tasks.folds.seeds import Role, fold_seed
from foldproof.tasks.machine.numerics import Numerics
from tests.support.reports import CLASSIFIER, prepared, settings


def keys(tmp_path, **sections):
    """Return the run's id and the folds' keys of small settings."""
    given = {**settings(tmp_path / "reports"), **sections}
    with prepared(given) as run:
        return run_id(run.key), tuple(job.key for job in run.jobs)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return keys(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(
    "change",
    [
        {"compute": {"workers": 3}},
        {"compute": {"retries": 0}},
        {"compute": {"fold_timeout": 60.0}},
        {"compute": {"device": "cpu"}},  # what auto resolves to where there is no GPU
        {"out": "elsewhere"},
        {"data": {"source": "iris", "target": None}},
    ],
)
def test_where_and_how_it_runs_changes_nothing(tmp_path, monkeypatch, plain, change):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert keys(tmp_path, **change) == plain


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"train": {"scaler": "minmax"}},
        {"train": {"epochs": 49}},
        {"train": {"class_weight": "balanced"}},
        {"model": {**CLASSIFIER, "params": {"max_iter": 999}}},
        {"model": {"builder": "sklearn.ensemble:RandomForestClassifier"}},
        {"compute": {"threads": 2}},
        {"data": {"source": "wine"}},
        {"split": {"n_splits": 4}},
        {"split": {"n_splits": 3, "shuffle": False}},
    ],
)
def test_what_can_change_a_result_changes_every_key(tmp_path, plain, change):
    run, folds = keys(tmp_path, **change)
    assert run != plain[0]
    assert not set(folds) & set(plain[1])


def test_metrics_change_the_report_but_no_fold(tmp_path, plain):
    run, folds = keys(tmp_path, metrics=["accuracy"])
    assert run != plain[0]
    assert folds == plain[1]


def test_more_repeats_keep_the_folds_of_the_first(tmp_path, plain):
    run, folds = keys(tmp_path, split={"n_splits": 3, "n_repeats": 2})
    assert run != plain[0]
    assert folds[:3] == plain[1]
    assert len(set(folds)) == 6


def test_the_same_rows_from_another_file_have_the_same_keys(tmp_path):
    generator = np.random.default_rng(0)
    table = pa.table({"a": generator.random(40), "y": generator.integers(0, 2, 40)})
    csv.write_csv(table, tmp_path / "one.csv")
    parquet.write_table(table, tmp_path / "two.parquet")
    shutil.copy(tmp_path / "one.csv", tmp_path / "three.csv")
    found = {
        keys(tmp_path, data={"source": str(tmp_path / name), "target": "y"})
        for name in ("one.csv", "two.parquet", "three.csv")
    }
    assert len(found) == 1
    changed = table.set_column(0, "a", pa.array(table["a"].to_numpy() + 1))
    parquet.write_table(changed, tmp_path / "two.parquet")
    assert (
        keys(tmp_path, data={"source": str(tmp_path / "two.parquet"), "target": "y"}) not in found
    )


def test_arrays_in_memory_have_the_keys_of_their_file(tmp_path):
    generator = np.random.default_rng(0)
    X, y = generator.random((40, 3)).astype(np.float32), generator.integers(0, 2, 40)
    np.savez(tmp_path / "data.npz", X=X, y=y)
    from_file = keys(tmp_path, data={"source": str(tmp_path / "data.npz")})
    assert keys(tmp_path, data=DataSpec.from_arrays(X, y)) == from_file


def test_which_label_is_positive_changes_the_keys(tmp_path):
    default = keys(tmp_path, data={"source": "breast_cancer"})
    malignant = keys(tmp_path, data={"source": "breast_cancer", "positive": "malignant"})
    benign = keys(tmp_path, data={"source": "breast_cancer", "positive": "benign"})
    assert default == malignant
    assert not set(benign[1]) & set(default[1])


def weighted(tmp_path, written):
    """Return the keys and the manifest's weights of a settings file's class weights."""
    labels = [("no", "yes")[i % 2] for i in range(30)]
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"{i},{y}\n" for i, y in enumerate(labels)))
    (tmp_path / "study.yaml").write_text(f"train: {{class_weight: {written}}}\n")
    train = read_settings(str(tmp_path / "study.yaml"))["train"]
    given = settings(tmp_path, data={"source": str(tmp_path / "t.csv"), "target": "y"}, train=train)
    with prepared(given) as run:
        keys = run_id(run.key), *(job.key for job in run.jobs)
        return keys, run.key["train"]["class_weight"], run.study.train.class_weight


def test_class_weights_have_the_keys_of_the_labels_that_they_mean(tmp_path):
    (quoted, shown, given), *others = (
        weighted(tmp_path, written)
        for written in ('{"no": 1, "yes": 2}', "{yes: 2, no: 1}", "{true: 2.0, OFF: 1}")
    )
    assert shown == given == {"no": 1.0, "yes": 2.0}
    assert [(keys, weights) for keys, weights, _ in others] == [(quoted, shown)] * 2
    assert weighted(tmp_path, "{yes: 1, no: 2}")[0] != quoted


def test_a_builders_helper_is_part_of_the_keys(tmp_path, project):
    model = {"builder": "my_model:build"}
    before = keys(tmp_path, model=model)
    project("unrelated", "x = 1\n")
    assert keys(tmp_path, model=model) == before
    project("my_parts", "units = 16\n")
    after = keys(tmp_path, model=model)
    assert after[0] != before[0]
    assert not set(after[1]) & set(before[1])


def test_a_run_id_is_the_start_of_its_keys_digest(tmp_path):
    with prepared(settings(tmp_path)) as run:
        assert run_id(run.key) == digest_json(run.key)[:12]
        text = canonical_json(run.key)
    for absent in ("source", "workers", "retries", "fold_timeout", "engine", str(tmp_path)):
        assert f'"{absent}"' not in text
    assert f'"foldproof":"{run.key["foldproof"]}"' in text


def test_jobs_carry_the_seeds_of_their_place(tmp_path):
    with prepared(settings(tmp_path, split={"n_splits": 3, "n_repeats": 2}, seed=5)) as run:
        for job in run.jobs:
            place = (5, job.repeat, job.fold)
            assert job.model_seed == fold_seed(*place, Role.MODEL)
            assert job.order_seed == fold_seed(*place, Role.BATCH_ORDER)
            assert job.inner_seed == fold_seed(*place, Role.INNER_SPLIT)
            assert job.store == tmp_path.resolve() / "folds" / f"{job.key}.parquet"
        assert [(job.repeat, job.fold) for job in run.jobs] == [
            (repeat, fold) for repeat in range(2) for fold in range(3)
        ]


@pytest.mark.parametrize(
    "other", [Numerics(1, "gpu", "H100, driver 1"), Numerics(1, "gpu", "H100, driver 2")]
)
def test_another_device_changes_every_key(tmp_path, other):
    with prepared(settings(tmp_path, compute={"device": "cpu"})) as run:
        parts = (run.study, run.dataset, run.plan, run.identity)
        there = fold_jobs(*parts, other)
        assert not {job.key for job in there} & {job.key for job in run.jobs}
        assert run_id(run_key(*parts, other, run.metrics)) != run_id(run.key)


def test_another_version_of_results_changes_the_keys(tmp_path, monkeypatch, plain):
    monkeypatch.setattr("foldproof.tasks.folds.keys.RESULTS_VERSION", "999")
    run, folds = keys(tmp_path)
    assert run != plain[0]
    assert not set(folds) & set(plain[1])


def test_the_inner_split_counts_only_where_there_is_one(tmp_path):
    with prepared(settings(tmp_path)) as run:
        study, grouped = run.study, replace(run.plan, method="time_series")
        parts = (run.dataset, grouped, run.identity, run.placement.numerics)
        assert [job.key for job in fold_jobs(study, *parts)] == [job.key for job in run.jobs]
        early = parse_study(settings(tmp_path, train={"early_stopping": {}}))
        ordered = fold_jobs(early, *parts)
        plainly = fold_jobs(early, parts[0], run.plan, *parts[2:])
        assert {job.inner for job in ordered} == {"last"}
        assert not {job.key for job in ordered} & {job.key for job in plainly}


def test_what_training_names_counts_with_its_parameters_and_its_source(tmp_path, here):
    text = "import keras\n\nclass Mine(keras.callbacks.Callback):\n    pass\n"
    (here / "mine_of_training.py").write_text(text)
    keras_net = {"builder": "tasks.models:mlp"}
    changes: list[dict[str, Any]] = [
        {},
        {"callbacks": ["TerminateOnNaN"]},
        {"callbacks": [{"TerminateOnNaN": {"raise_error": True}}]},
        {"callbacks": ["mine_of_training:Mine"]},
        {"metrics": ["auc"]},
        {"optimizer": {"adam": {"beta_1": 0.8}}},
        {"loss": {"Huber": {"delta": 2.0}}},
        {"learning_rate": {"CosineDecay": {"decay_steps": 9}}},
    ]
    found = [keys(tmp_path, model=keras_net, train=train) for train in changes]
    (here / "mine_of_training.py").write_text(text + "\n# another source\n")
    found.append(keys(tmp_path, model=keras_net, train=changes[3]))
    folds = [key for _, of_run in found for key in of_run]
    assert len(set(folds)) == len(folds)
    assert len({run for run, _ in found}) == len(found)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"callbacks": []}, {}),
        ({"metrics": []}, {}),
        ({"callbacks": "EarlyStopping"}, {"callbacks": [{"keras.callbacks:EarlyStopping": {}}]}),
        ({"callbacks": ["EarlyStopping"]}, {"callbacks": ["tf.keras.callbacks.EarlyStopping"]}),
        ({"optimizer": "Nadam"}, {"optimizer": {"keras.optimizers:Nadam": None}}),
    ],
)
def test_what_is_written_in_another_way_has_the_same_keys(tmp_path, one, other):
    net = {"builder": "tasks.models:mlp"}
    assert keys(tmp_path, model=net, train=one) == keys(tmp_path, model=net, train=other)


def test_the_source_of_an_own_metric_is_in_the_key_of_the_report_alone(tmp_path, here, plain):
    found = []
    for number in range(2):
        module = here / "metric_of_a_key.py"
        module.write_text(f"def m(y_true, y_pred):\n    return {number}.0\n")
        sys.modules.pop("metric_of_a_key", None)
        own_metrics._digests.clear()
        found.append(keys(tmp_path, metrics=["metric_of_a_key:m"]))
    assert found[0][0] != found[1][0]
    assert found[0][1] == found[1][1] == plain[1]
