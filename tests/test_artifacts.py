"""What Prefect's UI gets of a run: plain content, and a real run read back through the API."""

import json
import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.flows import EntrypointType
from prefect.settings import PREFECT_API_URL, temporary_settings
from pyarrow import parquet

from flows.cv import cross_validate
from tasks import artifacts
from tasks.provenance import ROOT
from tests.helpers_report import ALONE, finish

pytestmark = pytest.mark.long

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
        assert row["mean"] == round(stored["mean"], artifacts.DIGITS)


def test_failed_folds_come_first_with_their_error(finished):
    rows = artifacts.fold_rows(finished.tables, finished.run.metrics, labels(finished))
    assert [row["status"] for row in rows] == ["failed", "ok", "ok"]
    assert rows[0]["task"] == "fold 2 of 3, repeat 1"
    assert rows[0]["repeat / fold"] == "0/1"
    assert rows[0]["error"].startswith("ValueError")
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


@pytest.fixture(scope="module")
def deployed(prefect_api, tmp_path_factory):
    """A run from a deployment with one failed fold, as its engine process left it."""
    folder = tmp_path_factory.mktemp("deployed")
    (folder / "frail.py").write_text(FRAIL)
    parameters = {**SETTINGS, "model": {"builder": "frail:build"}}
    with (
        temporary_settings({PREFECT_API_URL: prefect_api}),
        get_client(sync_client=True) as client,
    ):
        module = EntrypointType.MODULE_PATH
        deployment = cross_validate.to_deployment(name="test", entrypoint_type=module).apply()
        run = client.create_flow_run_from_deployment(deployment, parameters=parameters)
        environment = {"PREFECT_API_URL": prefect_api, "PYTHONPATH": str(ROOT)}
        environment |= {"FOLDPROOF_ALLOWED_BUILDERS": "frail"}
        command = [sys.executable, "-m", "prefect.engine", str(run.id)]
        subprocess.run(
            command, cwd=folder, env=os.environ | environment, capture_output=True, timeout=240
        )
        yield Left(client, run.id, folder)


def settled(client, of_it):
    """Return a run's task runs, once the server has written down how they ended."""
    for _ in range(200):
        found = client.read_task_runs(flow_run_filter=of_it)
        if found and all(task.state is not None and task.state.is_final() for task in found):
            break
        time.sleep(0.1)
    return found


class Left:
    """What a flow run left on the server."""

    def __init__(self, client, identity, folder):
        of_it = FlowRunFilter(id=FlowRunFilterId(any_=[identity]))
        self.run = client.read_flow_run(identity)
        self.tasks = {task.name: task for task in settled(client, of_it)}
        made = client.request(
            "POST", "/artifacts/filter", json={"flow_runs": {"id": {"any_": [str(identity)]}}}
        )
        self.artifacts = {made["key"]: made for made in made.json()}
        chosen = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[identity]))
        self.logs = client.read_logs(chosen, limit=200)
        self.report = next((folder / "results" / "runs").iterdir())

    def log(self, task):
        identity = self.tasks[task].id
        return [(log.level, log.message) for log in self.logs if log.task_run_id == identity]


def test_a_run_with_a_failed_fold_does_not_show_as_green(deployed):
    assert deployed.run.name == "build on wine, 3 folds"
    assert deployed.run.state.type == "FAILED"
    assert deployed.run.state.message == (
        f"INCOMPLETE: 1 of 3 folds failed; report: {deployed.report}"
    )
    names = {f"fold {fold} of 3, repeat 1": fold for fold in range(1, 4)}
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
    assert row["mean"] == round(stored["mean"], artifacts.DIGITS)
    folds = json.loads(deployed.artifacts["build-wine-folds"]["data"])
    assert [fold["status"] for fold in folds] == ["failed"] + ["ok"] * 2
    assert "cannot fit | <b>118</b> rows" in folds[0]["error"]
    page = deployed.artifacts["build-wine-report"]["data"]
    assert "INCOMPLETE: 1 of 3 folds failed" in page
    assert "`predictions.parquet`" in page
    assert str(deployed.report) in page
    assert len(page) < artifacts.LARGEST
