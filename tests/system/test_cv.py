"""The flow: in Prefect's own records, from the command line, from scripts and notebooks."""

import hashlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from tests.support.command import CV, contents, cv, report_of, run
from tests.support.processes import left_behind
from tests.support.task_runs import ended_task_runs

BASELINE = ("--model.builder", "sklearn.linear_model:LogisticRegression")
SMALL = ("--split.n_splits", "4", "--train.epochs", "2")


@pytest.fixture(scope="module")
def api(prefect_api):
    """The address of a real Prefect server."""
    return {"PREFECT_API_URL": prefect_api}


def task_runs(address, n):
    """Return name, state and tags of the `n` task runs of the latest flow run."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.sorting import FlowRunSort
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: address}), get_client(sync_client=True) as client:
        latest = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=1)[0]
        runs = ended_task_runs(client, latest.id, n)
    return latest, {r.name: (r.state_name, set(r.tags)) for r in runs}


def test_prefect_shows_folds_that_people_can_read(tmp_path, api):
    arguments = (*BASELINE, "--split.n_splits", "3", "--split.n_repeats", "2")
    report_of(cv(*arguments, folder=tmp_path, **api))
    names = {f"fold {fold} of 3, repeat {repeat}" for fold in (0, 1, 2) for repeat in (0, 1)}
    n_tasks = len(names) + 4  # load, split, reduce, report
    flow_run, runs = task_runs(api["PREFECT_API_URL"], n_tasks)
    assert flow_run.state_name == "Completed"
    assert names <= runs.keys()
    for name in names:
        state, tags = runs[name]
        assert state == "Completed"
        assert {tag.rstrip("01") for tag in tags} == {"cpu:"}
    assert len(runs) == n_tasks
    report_of(cv(*arguments, folder=tmp_path, **api))
    _, again = task_runs(api["PREFECT_API_URL"], n_tasks)
    assert {again[name][0] for name in names} == {"Cached"}


@pytest.mark.long
def test_the_same_bytes_whatever_the_surroundings(tmp_path, api):
    """Workers, order, hash seed, locale, time zone, folder, process: none of it shows."""
    first = tmp_path / "first"
    first.mkdir()
    one = cv(*SMALL, "--compute.workers", "1", "--compute.retries", "1", folder=first, **api)
    expected = contents(report_of(one))
    assert set(expected) == {
        *("folds.parquet", "history.parquet", "predictions.parquet", "summary.parquet"),
        *("curves.parquet", "findings.parquet", "manifest.json", "report.html"),
        "settings.yaml",
    }
    second = tmp_path / "second" / "elsewhere"
    second.mkdir(parents=True)
    other = {"PYTHONHASHSEED": "7", "LC_ALL": "C", "TZ": "Asia/Kathmandu"}
    two = cv(*SMALL, "--out", "../o", "--compute.workers", "2", folder=second, **other, **api)
    assert report_of(two).name == report_of(one).name
    assert contents(report_of(two)) == expected
    # One fold alone, in a fresh store, and then the others on top of it, in another order.
    third = tmp_path / "third"
    third.mkdir()
    alone = cv(*SMALL, "--only", "0/2", folder=third, **api)
    assert alone.code == 0, alone.err
    digests = dict(line.split() for line in alone.out.splitlines())
    row = parquet.read_table(report_of(one) / "folds.parquet").to_pylist()[2]
    assert {name: row[name] for name in digests} == digests
    assert {path.name for path in (third / "reports").iterdir()} == {"folds", "trials"}
    rest = cv(*SMALL, folder=third, **api)
    assert contents(report_of(rest)) == expected
    cached = parquet.read_table(report_of(rest) / "execution.parquet")["cached"].to_pylist()
    assert cached == [False, False, True, False]
    fresh = cv(*SMALL, "--refresh", folder=third, **api)
    assert contents(report_of(fresh)) == expected
    assert "trained anew, all 4 stored folds came back bit for bit" in fresh.err


def test_without_a_server_one_is_started_and_gone_afterwards(tmp_path):
    script = tmp_path / "count.py"
    script.write_text(
        "import psutil\n"
        "import keras\n"
        "from keras import layers\n"
        "def build():\n"
        "    command = psutil.Process().parents()[1]\n"  # above is the worker host
        "    lines = [' '.join(p.cmdline()) for p in command.children()]\n"
        "    servers = [line for line in lines if 'embedded_server' in line or 'uvicorn' in line]\n"
        "    open('servers', 'a').write(f'{len(servers)}\\n')\n"
        "    return keras.Sequential([keras.Input((30,)), layers.Dense(1, 'sigmoid')])\n"
    )
    home = {"PREFECT_HOME": str(tmp_path / "home"), "PREFECT_API_URL": ""}
    ended = cv("--model.builder", "count:build", *SMALL, folder=tmp_path, **home)
    report = report_of(ended)
    counts = {int(line) for line in (tmp_path / "servers").read_text().split()}
    assert counts == {1}
    first, second, *_ = ended.out.splitlines()
    assert first.startswith("positive: 'malignant' (212 of 569), the larger label; ")
    assert second.split()[:5] == ["metric", "mean", "std", "min", "max"]
    assert "4 of 4: fold" in ended.err
    for chatter in ("oneDNN", "prefect", "Flow run", "WARNING", "Traceback", "Error logging"):
        assert chatter not in ended.err + ended.out
    assert report.is_dir()
    assert left_behind(tmp_path) == []


def test_a_fold_that_fails_is_shown_and_the_others_finish(tmp_path, api):
    (tmp_path / "frail.py").write_text(
        "import numpy as np\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "class Frail(LogisticRegression):\n"
        "    def fit(self, X, y, sample_weight=None):\n"
        "        if len(X) == 426:\n"
        "            raise ArithmeticError('cannot fit /srv/some/file 426 rows')\n"
        "        return super().fit(X, y)\n"
        "def build():\n"
        "    return Frail()\n"
    )
    arguments = ("--model.builder", "frail:build", "--split.n_splits", "4")
    ended = cv(*arguments, folder=tmp_path, **api)
    assert ended.code == 3
    assert "failed: ArithmeticError: cannot fit file 426 rows" in ended.err
    assert "Traceback (most recent call last)" in ended.err
    report = Path(ended.out.strip().splitlines()[-1].removeprefix("report: "))
    folds = parquet.read_table(report / "folds.parquet").to_pylist()
    failed = [row for row in folds if row["status"] == "failed"]
    assert failed
    assert f"INCOMPLETE: {len(failed)} of 4 folds failed" in ended.out
    assert all(row["roc_auc"] is None and row["weights_sha256"] is None for row in failed)
    summary = parquet.read_table(report / "summary.parquet").to_pylist()
    assert {row["n_folds"] for row in summary} == {4 - len(failed)}
    assert {row["n_planned"] for row in summary} == {4}
    assert {row["ci_low"] for row in summary} == {None}


def test_a_script_without_a_main_guard_runs_once(tmp_path, api):
    (tmp_path / "script.py").write_text(SCRIPT)
    ended = run([sys.executable, "script.py"], tmp_path, **api)
    assert ended.code == 0, ended.err
    lines = ended.out.splitlines()
    assert lines.count("this script runs") == 1
    assert lines[-1] == "[(0, 'ok'), (1, 'ok'), (2, 'ok')] ['no', 'yes']"
    changed = SCRIPT.replace("UNITS = 3", "UNITS = 4")
    (tmp_path / "script.py").write_text(changed)
    other = run([sys.executable, "script.py"], tmp_path, **api)
    assert other.out.splitlines()[-2] != lines[-2], "what the builder reads is part of the key"


SCRIPT = """
import numpy as np
from foldproof.flows.cv import cross_validate
from foldproof.tasks.config.data import DataSpec

print("this script runs")
UNITS = 3

def helper():
    import keras
    return keras.layers.Dense(UNITS, activation="relu")

def build(input_shape):
    import keras
    return keras.Sequential([keras.Input(input_shape), helper(), keras.layers.Dense(1, "sigmoid")])

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
y = np.where(X[:, 0] > 0, "yes", "no")
result = cross_validate(
    data=DataSpec.from_arrays(X, y), split={"n_splits": 3}, model=build, train={"epochs": 1}
)
print(result.run_id)
print(list(zip(result.folds.fold, result.folds.status)), sorted(set(result.predictions.y_true)))
"""


def test_a_notebook_cell_holds_the_builder(tmp_path, api, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    for name, value in api.items():
        monkeypatch.setenv(name, value)
    definition, use = SCRIPT.split("rng = np.random")
    cells = [nbformat.v4.new_code_cell(part) for part in (definition, "rng = np.random" + use)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    printed = "".join(
        output.get("text", "")
        for cell in notebook.cells
        for output in cell.outputs
        if output.get("name") == "stdout"
    )
    assert printed.strip().endswith("[(0, 'ok'), (1, 'ok'), (2, 'ok')] ['no', 'yes']")


def test_a_users_own_tasks_and_flows_work_beside_ours(tmp_path, api, monkeypatch):
    monkeypatch.delenv("PYTHONPATH")  # which leads to ours, for the sake of other tests
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "nets.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "def build():\n    return LogisticRegression()\n"
    )
    (tmp_path / "tasks.py").write_text("from flows.nets import build\n")
    for builder in ("tasks:build", "flows.nets:build"):
        ended = cv("--model.builder", builder, "--split.n_splits", "2", folder=tmp_path, **api)
        assert ended.code == 0, ended.err
    arguments = ("--split.n_splits", "2", "--train.epochs", "1")
    ended = cv("--model.builder", "tasks.models:mlp", *arguments, folder=tmp_path, **api)
    assert ended.code == 0, ended.err
    assert "is not used" not in ended.err


@pytest.mark.parametrize(
    ("builder", "message"),
    [
        ("def build():\n    return 3\n", "returned a int; return a keras.Model or an estimator"),
        ("def build():\n    return None\n", "returned nothing"),
        ("import no_such_thing\n", "no_such_thing"),
        ("def other():\n    pass\n", "has no 'build'"),
        ("def build(depth):\n    pass\n", "model.params.depth: missing"),
        ("def build(:\n", "is not Python"),
        (
            "import keras\ndef build():\n"
            "    return keras.Sequential([keras.Input((30,)), keras.layers.Dense(3)])\n",
            "has 3 outputs, but a binary task needs 1 or 2",
        ),
        ("def build():\n    raise OSError('no licence')\n", "failed (OSError: no licence)"),
        ("from sklearn.svm import LinearSVC as build\n", "has no predict_proba"),
        ("from sklearn.linear_model import Ridge as build\n", "is no classifier"),
    ],
)
def test_a_builder_that_cannot_train_is_refused_in_one_line(
    tmp_path, slots, builder, message, monkeypatch
):
    from foldproof.tasks.common.errors import InputError
    from foldproof.tasks.config.study import parse_study
    from foldproof.tasks.run.current_run import launched
    from foldproof.tasks.run.session import Run
    from foldproof.tasks.run.views.progress_view import Display
    from tests.support.training import settings

    name = f"own_{hashlib.sha256(builder.encode()).hexdigest()[:12]}"
    (tmp_path / f"{name}.py").write_text(builder)
    monkeypatch.chdir(tmp_path)
    given = settings(tmp_path / "out", f"{name}:build")
    with (
        launched(Run(parse_study(given), Display("quiet"), slots=slots)) as run_,
        pytest.raises(InputError) as caught,
    ):
        run_.check()
    text = str(caught.value)
    assert message in text
    assert text.startswith("model.")
    assert "\n" not in text
    assert not (tmp_path / "out").exists()


@pytest.mark.long
def test_memory_of_the_flows_process_does_not_grow_with_the_folds(tmp_path, api):
    peaks = []
    for repeats in ("3", "30"):
        command = [*CV, *BASELINE, "--split.n_repeats", repeats, "--quiet"]
        process = subprocess.Popen(command, cwd=tmp_path, env=os.environ | api)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        assert status == 0
        peaks.append(usage.ru_maxrss / 1024)
    assert peaks[1] - peaks[0] < 40, f"MiB at 30 and 300 folds: {peaks}"


def test_groups_weights_and_strings_from_a_csv(tmp_path, api):
    rng = np.random.default_rng(1)
    columns = {f"x{i}": rng.normal(size=90) for i in range(3)}
    table = pa.table(
        columns
        | {"patient": [f"p{i % 18}" for i in range(90)], "weight": rng.uniform(0.5, 2, 90)}
        | {"ill": np.where(columns["x0"] > 0, "ja", "nein")}
    )
    csv.write_csv(table, tmp_path / "table.csv")
    config = """
    data: {source: table.csv, target: ill, groups: patient, weights: weight, positive: ja}
    split: {n_splits: 3}
    model: {builder: "sklearn.linear_model:LogisticRegression"}
    train:
    metrics: [roc_auc, sensitivity, f1]
    """
    (tmp_path / "study.yaml").write_text(textwrap.dedent(config))
    report = report_of(cv("--config", "study.yaml", folder=tmp_path, **api))
    predictions = parquet.read_table(report / "predictions.parquet")
    assert predictions.column_names[-2:] == ["score_nein", "score_ja"]
    for fold in range(3):
        rows = predictions.filter(pa.compute.equal(predictions["fold"], fold))["row"].to_pylist()
        inside = {row % 18 for row in rows}
        outside = {row % 18 for row in set(range(90)) - set(rows)}
        assert not inside & outside
