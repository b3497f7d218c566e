"""What Prefect's UI gets of a run: plain content, and a real run read back through the API."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.sorting import LogSort
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.types.entrypoint import EntrypointType
from pyarrow import parquet

from foldproof.flows.compare import compare
from foldproof.flows.cv import cross_validate
from foldproof.flows.verify import verify
from foldproof.tasks.prefect_ui import artifacts
from foldproof.tasks.prefect_ui import view as prefect_view
from tests.support.places import ROOT
from tests.support.reports import ALONE, finish
from tests.support.task_runs import ended_task_runs

pytestmark = pytest.mark.long

N_STEPS = 4  # load data, split rows, reduce folds, write report
EXACT = ("mean", "std", "ci_low", "ci_high", "pooled")  # what a table must not round
FRAIL = """
import warnings
from sklearn.linear_model import LogisticRegression

class Frail(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        print("fitting", len(X), "rows")
        warnings.warn("odd rows")
        if len(X) == 118:
            raise ArithmeticError("cannot fit | <b>118</b> rows")
        for i in range(300):
            print("line", i)
        return super().fit(X, y)

def build():
    return Frail(max_iter=1000)
"""
SETTINGS = {
    "data": {"source": "wine"},
    "split": {"method": "kfold", "n_splits": 3},
    "metrics": ["accuracy"],
    "out": "results",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of which one fold failed, for an awkward reason."""

    def fails(repeat, fold):
        return "ValueError: `a|b` <script>*x*</script>" if fold == 1 else None

    return finish(tmp_path_factory.mktemp("out"), fails)


def labels(run):
    return [run.run.label(job) for job in run.run.jobs]


def test_tables_are_rows_with_the_same_names_that_json_can_hold(finished):
    summary = artifacts.summary_rows(finished.tables)
    folds = artifacts.fold_rows(finished.tables, finished.run.metrics, labels(finished))
    for rows in (summary, folds):
        assert len({tuple(row) for row in rows}) == 1
        assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert [row["metric"] for row in summary] == list(finished.run.metrics)
    assert {row["folds"] for row in summary} == {"2 of 3"}
    for row, stored in zip(summary, finished.tables.summary.to_pylist(), strict=True):
        assert [row[name] for name in EXACT] == [stored[name] for name in EXACT]


def test_failed_folds_come_first_with_their_error(finished):
    rows = artifacts.fold_rows(finished.tables, finished.run.metrics, labels(finished))
    assert [row["status"] for row in rows] == ["failed", "ok", "ok"]
    assert rows[0]["task"] == "fold 1 of 3"
    assert rows[0]["repeat / fold"] == "0/1"
    assert str(rows[0]["error"]).startswith("ValueError")
    assert rows[0][finished.run.metrics[0]] is None


def test_the_page_says_that_it_is_incomplete_and_takes_no_orders_from_an_error(finished):
    key = finished.run.key
    text = artifacts.page(finished.tables, key, ["odd_thing*"], finished.path, ["report.html"])
    assert "**INCOMPLETE: 1 of 3 folds failed." in text
    assert "\\<script\\>" in text
    assert "<script" not in text.replace("\\<", "")
    assert "\\`a\\|b\\`" in text
    assert "> odd\\_thing\\*" in text
    assert f"`{finished.path}`" in text
    assert "![values by fold](data:image/svg+xml;base64," in text


def test_values_that_do_not_exist_are_empty(tmp_path):
    alone = finish(tmp_path, **ALONE)
    rows = artifacts.fold_rows(alone.tables, alone.run.metrics, labels(alone))
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert {row["roc_auc"] for row in rows} == {None}
    assert "INCOMPLETE" not in artifacts.page(alone.tables, alone.run.key, [], tmp_path, [])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, None])
def test_no_number_is_no_number(value):
    assert artifacts.plain(value) is None


def test_keys_are_what_prefect_allows():
    key = artifacts.artifact_key("my.models:Deep_Net", "/data/Ward 7 (new).csv", "folds")
    assert key == "deep-net-ward-7-new-folds"


def test_code_holds_backticks():
    assert artifacts.code("a`b``c") == "``` a`b``c ```"
    assert artifacts.code("/a b") == "`/a b`"


def engine_run(client, api, flow, folder, allowed, **parameters):
    """Run a deployment's flow in an engine process, as a worker does."""
    module = EntrypointType.MODULE_PATH
    made = flow.to_deployment(name="test", entrypoint_type=module, enforce_parameter_schema=False)
    deployment = made.apply()
    run = client.create_flow_run_from_deployment(deployment, parameters=parameters)
    environment = {"PREFECT_API_URL": api, "PYTHONPATH": str(ROOT)}
    environment |= {"FOLDPROOF_ALLOWED_BUILDERS": allowed}
    command = [sys.executable, "-m", "prefect.engine", str(run.id)]
    ended = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, timeout=240
    )
    return run.id, ended


@pytest.fixture(scope="module")
def client(prefect_api):
    with temporary_settings({PREFECT_API_URL: prefect_api}), get_client(sync_client=True) as made:
        yield made


@pytest.fixture(scope="module")
def deployed(client, prefect_api, tmp_path_factory):
    """A run from a deployment with one failed fold, as its engine process left it."""
    folder = tmp_path_factory.mktemp("deployed")
    (folder / "frail.py").write_text(FRAIL)
    parameters = {**SETTINGS, "model": {"builder": "frail:build"}}
    run, _ = engine_run(client, prefect_api, cross_validate, folder, "frail", **parameters)
    return Left(client, run, folder, 3)


@pytest.fixture(scope="module")
def complete(client, prefect_api, tmp_path_factory):
    """A complete run of two repeats."""
    folder = tmp_path_factory.mktemp("complete")
    parameters = {
        **SETTINGS,
        "data": {"source": "breast_cancer"},
        "split": {"n_splits": 2, "n_repeats": 2},
        "model": {"builder": "sklearn.naive_bayes:GaussianNB"},
        "metrics": ["roc_auc", "f1"],
    }
    run, _ = engine_run(client, prefect_api, cross_validate, folder, "sklearn", **parameters)
    return Left(client, run, folder, 4)


class Left:
    """What a flow run left on the server."""

    def __init__(self, client, identity, folder, n_folds):
        self.run = client.read_flow_run(identity)
        self.tasks = {
            task.name: task for task in ended_task_runs(client, identity, n_folds + N_STEPS)
        }
        made = client.request(
            "POST", "/artifacts/filter", json={"flow_runs": {"id": {"any_": [str(identity)]}}}
        )
        self.artifacts = {made["key"]: made for made in made.json()}
        chosen = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[identity]))
        self.logs = client.read_logs(chosen, limit=200, sort=LogSort.TIMESTAMP_ASC)
        self.report = next(folder.glob("results/runs/*"), None)

    def log(self, task):
        identity = self.tasks[task].id
        return [(log.level, log.message) for log in self.logs if log.task_run_id == identity]


def test_a_run_with_a_failed_fold_does_not_show_as_green(deployed):
    assert deployed.run.name == "build on wine, 3 folds"
    assert deployed.run.state.type == "FAILED"
    assert deployed.run.state.message == (
        f"INCOMPLETE: 1 of 3 folds failed; report: {deployed.report}"
    )
    names = {f"fold {fold} of 3" for fold in range(3)}
    assert set(deployed.tasks) == {
        *names,
        *("load data", "split rows", "reduce folds", "write report"),
    }
    states = sorted(deployed.tasks[name].state_name for name in names)
    assert states == ["Completed"] * 2 + ["Failed"]
    assert all(re.fullmatch(r"cpu:\d+", *deployed.tasks[name].tags) for name in names)


def test_the_folds_own_prints_and_warnings_are_on_its_task(deployed):
    for name in (name for name, task in deployed.tasks.items() if name.startswith("fold")):
        log = deployed.log(name)
        text = "\n".join(message for _, message in log)
        assert len(re.findall(r"^fitting 11\d rows$", text, re.MULTILINE)) == 1
        assert [level for level, message in log if "UserWarning: odd rows" in message] == [30]
        if deployed.tasks[name].state_name == "Failed":
            errors = [message for level, message in log if level == 40]
            assert any(
                "Traceback" in message and "ArithmeticError" in message for message in errors
            )
        else:
            assert "line 0\nline 1" in text
            assert re.search(r"^\.\.\. 10\d more lines$", text, re.MULTILINE)


def test_artifacts_hold_the_result_and_say_where_the_report_is(deployed):
    assert set(deployed.artifacts) == {
        f"build-wine-{what}" for what in ("progress", "summary", "folds", "report")
    }
    assert deployed.artifacts["build-wine-progress"]["data"] == 100.0
    assert deployed.artifacts["build-wine-progress"]["description"] == "3 of 3 folds, 1 failed"
    (row,) = json.loads(deployed.artifacts["build-wine-summary"]["data"])
    (stored,) = parquet.read_table(deployed.report / "summary.parquet").to_pylist()
    assert [row[name] for name in EXACT] == [stored[name] for name in EXACT]
    folds = json.loads(deployed.artifacts["build-wine-folds"]["data"])
    assert [fold["status"] for fold in folds] == ["failed"] + ["ok"] * 2
    assert "cannot fit | <b>118</b> rows" in folds[0]["error"]
    page = deployed.artifacts["build-wine-report"]["data"]
    assert "INCOMPLETE: 1 of 3 folds failed" in page
    assert "`predictions.parquet`" in page
    assert str(deployed.report) in page
    assert len(page) < artifacts.MAX_PAGE_CHARS


def test_a_run_says_in_words_what_it_and_each_of_its_steps_came_to(complete):
    (auc, f1) = parquet.read_table(complete.report / "summary.parquet").to_pylist()
    line = f"roc_auc {auc['mean']:.3f} ({auc['ci_low']:.3f} to {auc['ci_high']:.3f}), 4 of 4 folds"
    positive = "'malignant' (212 of 569)"
    assert complete.run.state.message == f"{line}; positive: {positive}"
    assert complete.tasks["reduce folds"].state.message == complete.run.state.message
    assert complete.tasks["load data"].state.message == "569 rows, binary"
    assert complete.tasks["split rows"].state.message == "4 folds, stratified_kfold"
    assert complete.tasks["write report"].state.message == f"report: {complete.report}"
    assert all(task.state.message for task in complete.tasks.values())
    made = complete.artifacts["gaussiannb-breast-cancer-summary"]
    assert made["description"] == f"Mean, spread and interval of each metric; positive: {positive}"
    folds = json.loads(complete.artifacts["gaussiannb-breast-cancer-folds"]["data"])
    stored = parquet.read_table(complete.report / "folds.parquet").to_pylist()
    assert [row["roc_auc"] for row in folds] == [row["roc_auc"] for row in stored]
    table = [log.message for log in complete.logs if f"\nf1{f1['mean']:13.4f}" in log.message]
    assert len(table) == 1, "the table stands in the run's log"


def test_the_graph_goes_from_the_split_through_the_folds_to_the_end(complete):
    names = {task.id: name for name, task in complete.tasks.items()}

    def before(name):
        listed = complete.tasks[name].task_inputs.values()
        return {names[each.id] for inputs in listed for each in inputs if hasattr(each, "id")}

    folds = {f"fold {fold} of 2, repeat {repeat}" for fold in range(2) for repeat in range(2)}
    assert before("split rows") == {"load data"}
    assert {tuple(before(fold)) for fold in folds} == {("split rows",)}
    assert before("reduce folds") == folds
    assert before("write report") == {"reduce folds"}


def test_failed_folds_are_in_the_graph_too(deployed):
    inputs = deployed.tasks["reduce folds"].task_inputs["records"]
    assert len(inputs) == 3


def test_a_long_fold_has_a_card_that_names_it_and_says_what_became_of_it(
    client, prefect_api, tmp_path, monkeypatch
):
    monkeypatch.setattr(prefect_view, "MIN_PROGRESS_S", 0.0)
    monkeypatch.setattr(prefect_view, "UPDATE_INTERVAL_S", 0.1)
    monkeypatch.chdir(tmp_path)
    settings = {"data": {"source": "iris"}, "split": {"n_splits": 2}, "train": {"epochs": 3000}}
    with temporary_settings({PREFECT_API_URL: prefect_api}):
        parameters = {**settings, "out": "results"}
        state: Any = run_flow(cross_validate, parameters=parameters, return_type="state")
    assert state.is_completed(), state.message
    left = Left(client, state.state_details.flow_run_id, tmp_path, 2)
    for fold in range(2):
        card = left.artifacts[f"mlp-iris-fold-{fold}"]
        assert card["data"] == 100.0
        done = rf"fold {fold} of 2: done in \d+\.\d s on cpu:\d"
        assert re.fullmatch(done, card["description"]), card["description"]


NONE = "no file or folder 'nowhere.csv'"
WRONG = [
    (cross_validate, {"data": {"source": "breast_cancr"}}, "did you mean breast_cancer?"),
    (cross_validate, {"more": {"seed": 1}, "seed": 2}, "more.seed: 1 clashes with seed: 2"),
    (cross_validate, {"train": {"epochs": "many"}}, "train.epochs: must be a whole number"),
    (compare, {"models": [{"builder": "tasks.models:mlp"}]}, "studies: one alone cannot be"),
    (compare, {"studies": [{"data": "nowhere.csv"}] * 2}, NONE),
    (verify, {"run_dir": "nowhere"}, "'nowhere' holds no manifest.json of a report"),
    (verify, {"run_dir": "nowhere", "folds": -1}, "folds: must be at least 0, or all, not -1"),
]


@pytest.mark.parametrize(("flow", "parameters", "line"), WRONG)
def test_the_last_red_block_of_a_wrong_run_is_its_line(
    client, prefect_api, tmp_path, flow, parameters, line
):
    run, ended = engine_run(client, prefect_api, flow, tmp_path, "tasks.models", **parameters)
    assert ended.returncode == 0
    state = client.read_flow_run(run).state
    assert state.is_failed()
    assert line in state.message
    chosen = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run]))
    logs = client.read_logs(chosen, limit=200, sort=LogSort.TIMESTAMP_ASC)
    assert [log.message for log in logs if log.level >= 40] == [state.message]
    said = ended.stdout + ended.stderr
    for text in (*(log.message for log in logs), said.decode()):
        assert "Traceback" not in text
        assert "orchestrator" not in text


def test_an_incomplete_run_ends_without_a_traceback_of_the_engine(deployed):
    red = [log.message for log in deployed.logs if log.level >= 40 and log.task_run_id is None]
    assert red == [deployed.run.state.message]
