"""Files that a builder opens while it builds are part of the keys, whoever opens them."""

import hashlib
import json
import sqlite3
import textwrap
from pathlib import Path

import joblib
import numpy as np
import pytest

from foldproof.tasks.comparison.studies import Comparison, open_comparison
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.folds.keys import run_id
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.user_code.opened_files.record import FOLDER
from tests.support.command import contents, cv, report_of
from tests.support.workers import new_worker

LIGHT = """
import json, os, pathlib, sqlite3
import joblib, numpy as np
from sklearn.linear_model import LogisticRegression

def by_numpy():
    return LogisticRegression(C=float(np.load("weights.npy")[0]))

def by_open():
    with open("weights.json") as file:
        return LogisticRegression(C=json.load(file)["C"])

def by_pathlib():
    text = (pathlib.Path(__file__).parent / "weights.json").read_text()
    return LogisticRegression(C=json.loads(text)["C"])

def by_joblib():
    return LogisticRegression(C=joblib.load("weights.joblib"))

def by_sqlite():
    (C,) = sqlite3.connect("weights.db").execute("select c from t").fetchone()
    return LogisticRegression(C=C)

def by_variable():
    return LogisticRegression(C=float(np.load(os.environ["WEIGHTS"])[0]))

def by_chance():
    known = os.path.exists("weights.npy")
    return LogisticRegression(C=float(np.load("weights.npy")[0]) if known else 1.0)

def by_two():
    return LogisticRegression(C=np.load("weights.npy")[0], tol=np.load("others.npy")[0])

def by_itself():
    np.save("own.npy", np.random.rand(3))
    np.load("own.npy")
    with open("log.txt", "a") as file:
        print("built", file=file)
    return LogisticRegression()

def by_import():
    import importlib
    return LogisticRegression(C=importlib.import_module("_".join(["named", "late"])).C)
"""

ON_IMPORT = """
import numpy as np
from sklearn.linear_model import LogisticRegression
C = float(np.load("weights.npy")[0])

def build():
    return LogisticRegression(C=C)

def other():
    return LogisticRegression(C=C, max_iter=7)
"""

KERAS = """
import h5py, os, keras, tensorflow as tf

def new(kernel=1.0):
    keras.utils.set_random_seed(3)
    start = keras.initializers.Constant(kernel)
    layer = keras.layers.Dense(1, activation="sigmoid", kernel_initializer=start)
    return keras.Sequential([keras.Input((30,)), layer])

def save(kind, kernel, folder):
    base = os.path.join(folder, 'base')
    model = new(kernel)
    if kind == "weights":
        model.save_weights(f"{base}.weights.h5")
    elif kind == "whole":
        model.save(f"{base}.keras")
    elif kind == "legacy":
        model.save(f"{base}.h5")
    elif kind == "saved":
        model.export(base)
    elif kind == "checkpoint":
        tf.train.Checkpoint(kernel=tf.Variable([kernel])).write(f"{base}.ckpt")
    elif kind == "tensor":
        tf.io.write_file(f"{base}.txt", str(kernel))

def build(kind, folder):
    base = os.path.join(folder, 'base')
    if kind == "weights":
        model = new()
        model.load_weights(f"{base}.weights.h5")
    elif kind == "whole":
        model = keras.models.clone_model(keras.models.load_model(f"{base}.keras"))
    elif kind == "legacy":
        with h5py.File(f"{base}.h5") as file:
            list(file)
        model = new()
    elif kind == "saved":
        tf.saved_model.load(base)
        model = new()
    elif kind == "checkpoint":
        tf.train.Checkpoint(kernel=tf.Variable([0.0])).read(f"{base}.ckpt")
        model = new()
    elif kind == "tensor":
        model = new(float(tf.io.read_file(f"{base}.txt").numpy()))
    return model
"""


def settings(out="out", **given):
    base = {
        "split": {"n_splits": 3},
        "train": {"epochs": 1},
        "compute": {"workers": 1},
        "out": str(out),
    }
    return parse_study(base | given)


@pytest.fixture
def project(here):
    """A working directory with builders and what they open."""
    for name, text in {"light": LIGHT, "on_import": ON_IMPORT, "heavy": KERAS}.items():
        (here / f"{name}.py").write_text(textwrap.dedent(text))
    write_files(1.0)
    return here


def write_files(value):
    np.save("weights.npy", [value])
    np.save("others.npy", [1e-4])
    Path("weights.json").write_text(json.dumps({"C": value}))
    joblib.dump(value, "weights.joblib")
    Path("named_late.py").write_text(f"C = {value}\n")
    Path("weights.db").unlink(missing_ok=True)
    with sqlite3.connect("weights.db") as database:
        database.execute("create table t (c)")
        database.execute("insert into t values (?)", [value])


def looked_at(slots, **given):
    """Return a run's key and its folds' keys, and whether the builder was tried."""
    slots.slots[0].kill_workers()  # a new process, in which nothing is imported yet
    with launched(Run(settings(**given), Display("quiet"), slots=slots)) as run:
        run.check()
        return run.key, [job.key for job in run.jobs], "model_facts" in vars(run)


def digest(name):
    return hashlib.sha256(Path(name).read_bytes()).hexdigest()


OPENED = {
    "light:by_numpy": "weights.npy",
    "light:by_open": "weights.json",
    "light:by_pathlib": "weights.json",
    "light:by_joblib": "weights.joblib",
    "light:by_sqlite": "weights.db",
    "light:by_import": "named_late.py",
    "on_import:build": "weights.npy",
}


@pytest.mark.parametrize(("builder", "name"), OPENED.items())
def test_a_file_that_the_builder_opens_counts_by_its_content(project, light, builder, name):
    model = {"builder": builder}
    key, folds, _ = looked_at(light, model=model)
    assert key["model"]["files"] == [digest(name)]
    write_files(2.0)
    other, other_folds, _ = looked_at(light, model=model)
    assert other["model"]["files"] == [digest(name)]
    assert run_id(other) != run_id(key)
    assert not set(other_folds) & set(folds)


@pytest.fixture
def heavy(project, slots):
    """Return a function that runs one of the Keras module's in the shared worker."""

    def call(kind, kernel):
        slot = slots.lease()
        try:
            slot.run(_save, str(project), kind, kernel)
        finally:
            slots.give_back(slot)

    return call


def _save(folder, kind, kernel):
    import importlib.util

    spec = importlib.util.spec_from_file_location("heavy_to_save", f"{folder}/heavy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.save(kind, kernel, folder)


HEAVY = {
    "weights": ["base.weights.h5"],
    "whole": ["base.keras"],
    "legacy": ["base.h5"],
    "saved": [
        "base/saved_model.pb",
        "base/variables/variables.data-00000-of-00001",
        "base/variables/variables.index",
    ],
    "checkpoint": ["base.ckpt.data-00000-of-00001", "base.ckpt.index"],
    "tensor": ["base.txt"],
}


@pytest.mark.parametrize(("kind", "names"), HEAVY.items())
def test_what_libraries_open_in_c_counts(project, heavy, slots, kind, names):
    heavy(kind, 1.0)
    model = {"builder": "heavy:build", "params": {"kind": kind, "folder": str(project)}}
    key, folds, _ = looked_at(slots, model=model)
    assert key["model"]["files"] == sorted(digest(name) for name in names)
    heavy(kind, 2.0)
    other, other_folds, _ = looked_at(slots, model=model)
    assert other["model"]["files"] == sorted(digest(name) for name in names)
    assert not set(other_folds) & set(folds)


def test_a_builder_that_opens_nothing_has_no_files(project, light):
    (project / "plain.py").write_text(
        "import json\nfrom sklearn.tree import DecisionTreeClassifier as build\n"
    )
    for builder in ("plain:build", "sklearn.linear_model:LogisticRegression"):
        assert looked_at(light, model={"builder": builder})[0]["model"]["files"] == []


def test_where_a_file_lies_does_not_count(project, monkeypatch):
    model = {"builder": "light:by_variable"}
    (project / "elsewhere").mkdir()
    np.save("elsewhere/other_name.npy", [1.0])
    monkeypatch.setenv("WEIGHTS", str(project / "weights.npy"))
    with new_worker() as worker:
        key, folds, _ = looked_at(worker, model=model)
    monkeypatch.setenv("WEIGHTS", str(project / "elsewhere/other_name.npy"))
    with new_worker() as worker:
        same, same_folds, tried = looked_at(worker, model=model)
        assert (key, folds) == (same, same_folds)
        assert tried  # the record is of another file
        np.save("elsewhere/other_name.npy", [3.0])
        assert looked_at(worker, model=model)[0] != key


def test_files_that_change_places_count(project, light):
    before = looked_at(light, model={"builder": "light:by_two"})[0]
    Path("weights.npy").rename("was_weights.npy")
    Path("others.npy").rename("weights.npy")
    Path("was_weights.npy").rename("others.npy")
    after = looked_at(light, model={"builder": "light:by_two"})[0]
    assert after["model"]["files"] == before["model"]["files"]
    assert run_id(after) != run_id(before)


def test_a_file_that_was_looked_for_in_vain_counts_once_it_is_there(project, light):
    model = {"builder": "light:by_chance"}
    content = Path("weights.npy").read_bytes()
    Path("weights.npy").unlink()
    assert looked_at(light, model=model)[0]["model"]["files"] == []
    Path("weights.npy").write_bytes(content)
    assert looked_at(light, model=model)[0]["model"]["files"] == [digest("weights.npy")]


def test_what_the_builder_writes_itself_does_not_count(project, light):
    model = {"builder": "light:by_itself"}
    key, folds, _ = looked_at(light, model=model)
    assert key["model"]["files"] == []
    assert looked_at(light, model=model)[:2] == (key, folds)


def test_a_later_run_hashes_the_files_and_builds_nothing(project, light):
    ended = cv("--model.builder", "light:by_numpy", "--split.n_splits", "3", folder=project)
    first = report_of(ended)
    (record,) = (project / "reports" / FOLDER).iterdir()
    assert "weights.npy" in record.read_text()
    (project / "light.py").touch()
    study = parse_study({**_plain("light:by_numpy")})
    with launched(Run(study, Display("quiet"), slots=light)) as run:
        run.check()
        assert "model_facts" not in vars(run)
        assert run_id(run.key) == first.name
    manifest = json.loads((first / "manifest.json").read_text())
    assert manifest["key"]["model"]["files"] == [digest("weights.npy")]
    assert "weights.npy" not in (first / "manifest.json").read_text()


def _plain(builder):
    return {"model": {"builder": builder}, "split": {"n_splits": 3}}


def test_a_replaced_file_trains_anew_and_the_old_one_comes_from_the_store(project):
    command = ("--model.builder", "light:by_numpy", "--split.n_splits", "3")
    first = report_of(cv(*command, folder=project))
    before = contents(first)
    content = Path("weights.npy").read_bytes()
    np.save("weights.npy", [1e-6])
    replaced = cv(*command, folder=project)
    assert "from the store" not in replaced.err
    second = report_of(replaced)
    assert second != first
    assert contents(second)["predictions.parquet"] != before["predictions.parquet"]
    Path("weights.npy").write_bytes(content)
    again = cv(*command, folder=project)
    assert "3 of 3" in again.err
    assert "from the store" in again.err
    assert report_of(again) == first
    assert contents(first) == before


def test_a_damaged_record_is_none(project, light):
    model = {"builder": "light:by_numpy"}
    key, folds, tried = looked_at(light, model=model)
    assert tried
    (record,) = Path("out", FOLDER).iterdir()
    for text in ("", "[]", '{"files": 3}', "\0", '{"files": [["weights.npy", 1]]}'):
        record.write_text(text)
        assert looked_at(light, model=model) == (key, folds, True)


def test_a_file_that_changes_during_the_run_fails_the_fold(project, light):
    study = settings(model={"builder": "light:by_numpy"})
    with launched(Run(study, Display("quiet"), slots=light)) as run:
        run.check()
        assert train_without_prefect(run, run.jobs[0]).error is None
        np.save("weights.npy", [5.0])
        record = train_without_prefect(run, run.jobs[1])
    problem = "'weights.npy', which the builder reads, changed meanwhile; run again"
    assert record.error == f"ChangedFile: {problem}"
    assert not run.jobs[1].store.exists()


def test_a_function_of_a_notebook_counts_what_it_opens(project, light):
    def build():
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=float(np.load("weights.npy")[0]))

    assert looked_at(light, model=build)[0]["model"]["files"] == [digest("weights.npy")]


def test_what_is_known_of_distributions_does_not_count(project, light):
    """A library may look for plugins while a model is built; versions are in the keys."""
    (project / "some.egg-info").mkdir()
    (project / "some.egg-info" / "entry_points.txt").write_text("[of.plugins]\n")

    def build():
        from sklearn.linear_model import LogisticRegression

        assert Path("some.egg-info/entry_points.txt").read_text()
        return LogisticRegression(C=float(np.load("weights.npy")[0]))

    assert looked_at(light, model=build)[0]["model"]["files"] == [digest("weights.npy")]


def test_what_a_module_opens_counts_for_each_model_of_a_comparison(project):
    studies = [settings(model={"builder": f"on_import:{name}"}) for name in ("build", "other")]
    with open_comparison(Comparison(studies, verbosity="quiet")) as comparison:
        comparison.begin()
        comparison.check()
        files = [run.key["model"]["files"] for run in comparison.runs]
    assert files == [[digest("weights.npy")]] * 2
