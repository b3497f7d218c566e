"""A fold's bits: equal to an independent loop, on every engine, in any order, in any worker."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.folds.outputs import class_scores
from foldproof.tasks.machine.devices import place
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from foldproof.tasks.store.scratch import make_scratch, remove_scratch
from foldproof.tasks.workers.slots import Slots
from tests.support.reference import reference
from tests.support.spy import MARKS, SPY
from tests.support.training import settings, train_some

# kind of model, data, and whether a worker can keep it compiled
ZOO = [
    ("dense", "breast_cancer", True),
    ("conv", "digits", True),
    ("recurrent", "breast_cancer", True),
    ("own_step", "breast_cancer", True),
    ("branches", "breast_cancer", True),
    ("averaged", "breast_cancer", True),
    ("accumulating", "breast_cancer", True),
    ("regularized", "breast_cancer", True),
    ("penalized", "breast_cancer", True),
    ("clipped", "breast_cancer", True),
    ("half_trained", "breast_cancer", True),
    ("eager_draws", "breast_cancer", True),
    ("counted_draws", "breast_cancer", True),
    ("own_fit", "breast_cancer", False),
    ("hidden_number", "breast_cancer", False),
    ("unseeded_noise", "breast_cancer", False),
    ("branching", "breast_cancer", False),
]
INDEPENDENT = ["dense", "conv", "recurrent", "own_step"]


def digests(records):
    assert [r.error for r in records] == [None] * len(records), records[0].traceback
    return [(r.initial, r.weights, r.predictions) for r in records]


@pytest.mark.parametrize(("builder", "source", "kept"), ZOO)
def test_engines_give_the_same_bits(tmp_path, slots, builder, source, kept):
    places = [(0, 1), (0, 0)]
    found: dict[Any, Any] = {}
    for engine in ("auto", "plain"):
        given = settings(
            tmp_path / engine,
            builder,
            data={"source": source},
            train={"epochs": 2, "engine": engine},
        )
        records, _ = train_some(given, places, slots)
        found[engine] = digests(records)
        if engine == "auto":
            assert (records[-1].notice == "") is kept
    assert found["auto"] == found["plain"]
    if builder in INDEPENDENT:
        assert found["auto"][0] == reference(given, places[0], tmp_path, slots)


@pytest.mark.long
def test_two_threads_equal_the_independent_loop_on_both_engines(tmp_path):
    scratch = make_scratch()
    two = Slots(place(ComputeSpec(workers=1, threads=2)), True, scratch, scratch / "log")
    found: dict[Any, Any] = {}
    for builder in ("dense", "branches", "recurrent", "own_step", "conv"):
        for engine in ("auto", "plain"):
            given = settings(
                tmp_path / engine,
                builder,
                data={"source": "digits" if builder == "conv" else "breast_cancer"},
                train={"epochs": 2, "engine": engine},
                compute={"threads": 2},
            )
            (record,), _ = train_some(given, [(0, 0)], two)
            assert record.notice == ""
            found.setdefault(builder, set()).update(digests([record]))
    assert {builder: len(bits) for builder, bits in found.items()} == dict.fromkeys(found, 1)
    assert found["conv"] == {reference(given, (0, 0), tmp_path, two, threads=2)}
    two.stop()
    remove_scratch(scratch)


@pytest.mark.parametrize("method", ["auto", "time_series"])
def test_early_stopping_and_weights_agree_between_engines(tmp_path, slots, method):
    found = []
    for engine in ("auto", "plain"):
        given = settings(
            tmp_path / engine,
            "branches",
            split={"method": method, "n_splits": 3},
            train={
                "epochs": 12,
                "engine": engine,
                "class_weight": "balanced",
                "early_stopping": {"patience": 1, "monitor": "val_auc"},
            },
        )
        records, jobs = train_some(given, [(0, 2), (0, 1)], slots)
        stored = [read_fold(job.store, job.key) for job in jobs]
        found.append(
            [(digests([r]), s.content_digest()) for r, s in zip(records, stored, strict=True)]
        )
        assert all(record.notice == "" for record in records)
    assert found[0] == found[1]
    fold = stored[0]
    best = max((value, -epoch) for epoch, name, value in fold.history if name == "val_auc")
    assert fold.best_epoch == -best[1]
    assert fold.epochs_run is not None
    assert fold.epochs_run <= 12


def test_a_fold_does_not_depend_on_what_its_worker_did_before(tmp_path, slots):
    given = settings(tmp_path / "a", "dense")
    forwards, _ = train_some(given, [(0, 0), (0, 1), (0, 2)], slots)
    train_some(settings(tmp_path / "c", "branching"), [(0, 0)], slots)
    given = settings(tmp_path / "b", "dense")
    backwards, _ = train_some(given, [(0, 2), (0, 1), (0, 0)], slots)
    assert digests(forwards) == digests(backwards)[::-1]


def test_layer_names_start_anew_in_every_fold(tmp_path, slots):
    (tmp_path / "named.py").write_text(
        "import keras\n"
        "def build():\n"
        "    model = keras.Sequential([keras.Input((30,)), keras.layers.Dense(1, 'sigmoid')])\n"
        "    model.get_layer('dense')\n"
        "    return model\n"
    )
    given = settings(tmp_path, "named:build")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        records, _ = train_some(given, [(0, 0), (0, 1)], slots)
    digests(records)


def test_test_rows_are_out_of_reach_while_the_model_trains(tmp_path, slots, monkeypatch):
    """A model that searches the memory of its own process for the test rows finds none."""
    (tmp_path / "spy.py").write_text(SPY)
    fold = np.arange(60) // 30
    columns = {f"x{i}": np.random.default_rng(i).normal(size=60) for i in range(3)}
    for name, mark in zip(columns, MARKS, strict=True):
        columns[name][fold == 1] = mark
    monkeypatch.chdir(tmp_path)
    csv.write_csv(pa.table(columns | {"y": np.arange(60) % 2, "fold": fold}), "data.csv")
    given = settings(
        tmp_path,
        "spy:build",
        data={"source": "data.csv", "target": "y"},
        split={"method": "predefined", "fold_column": "fold"},
        train={"scaler": "none", "epochs": 1, "engine": "plain"},
    )
    records, _ = train_some(given, [(0, 1), (0, 0)], slots)
    assert records[0].error is None, records[0].traceback
    assert "finds the marked rows" in (records[1].error or ""), "the search must find what is there"


def test_a_diverged_training_fails_with_its_epoch(tmp_path, slots):
    given = settings(tmp_path, "diverging", data={"source": "diabetes"}, train={"epochs": 30})
    (record,), _ = train_some(given, [(0, 0)], slots)
    assert record.error is not None
    assert record.error.startswith("training diverged: the loss is")
    assert "in epoch" in record.error


@pytest.mark.parametrize(
    ("builder", "source"),
    [("logits", "breast_cancer"), ("logits", "digits"), ("two_units", "breast_cancer")],
)
def test_outputs_become_probabilities(tmp_path, slots, builder, source):
    given = settings(tmp_path, builder, data={"source": source})
    (record,), (job,) = train_some(given, [(0, 0)], slots)
    assert record.error is None, record.traceback
    fold = read_fold(job.store, job.key)
    scores = class_scores(fold.raw, fold.activation, job.builder.task)
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert fold.raw.shape[1] == (10 if source == "digits" else 2 if builder == "two_units" else 1)
    if source == "digits":
        np.testing.assert_allclose(scores.sum(axis=1), 1)


def test_estimators_equal_scikit_learn_to_the_last_bit(tmp_path):
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    builder = "sklearn.linear_model:LogisticRegression"
    with launched(Run(parse_study(settings(tmp_path, builder)), Display("quiet"))) as run:
        run.check()
        assert not run.identity.needs_tensorflow
        records = [train_without_prefect(run, job) for job in run.jobs]
        assert [record.error for record in records] == [None] * 5
        stored = [read_fold(job.store, job.key) for job in run.jobs]
    bunch = load_breast_cancer()
    features = bunch.data.astype(np.float32)
    labels = bunch.target_names[bunch.target]
    folds = StratifiedKFold(5, shuffle=True, random_state=1337)
    with threadpool_limits(1):
        pipeline = make_pipeline(StandardScaler(), LogisticRegression())
        expected = cross_val_predict(pipeline, features, labels, cv=folds, method="predict_proba")
    for fold in stored:
        np.testing.assert_array_equal(fold.raw[:, 1], expected[fold.rows, 1])
