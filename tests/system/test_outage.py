"""The Prefect server goes away in the middle of a run, for good or for a while."""

import os
import signal
import sys
from pathlib import Path

import pytest
from prefect import get_client
from prefect.settings import PREFECT_API_URL, temporary_settings

from foldproof.tasks.prefect_server.server import EmbeddedServer
from tests.support.command import CV, cv, report_of
from tests.support.places import ROOT
from tests.support.prefect_home import made_home
from tests.support.processes import Start, Started
from tests.support.slow import SLOW

pytestmark = pytest.mark.long

FLAGS = ("--split.n_splits", "5", "--model", "slow_model:build", "--compute.workers", "1")


@pytest.fixture
def folder(tmp_path):
    """A folder with a model that takes its time."""
    (tmp_path / "slow_model.py").write_text(SLOW)
    return tmp_path


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A real Prefect server of the test's own, which it may kill."""
    monkeypatch.setenv("PREFECT_HOME", made_home(tmp_path / "home"))
    made = EmbeddedServer(tmp_path / "log")
    made.wait()
    yield made
    made.stop()


def started(
    start: Start, folder: Path, url: str, command=(*CV, *FLAGS), folds=1, **variables: str
) -> Started:
    """Start a run and wait for its first finished folds."""
    run = start(command, folder, PREFECT_API_URL=url, **variables)
    run.wait_for(lambda: len(list(folder.glob("reports/folds/*.parquet"))) >= folds)
    return run


def test_a_server_gone_for_good_costs_no_fold_and_no_report(start, folder, server):
    run = started(start, folder, server.url)
    server.stop()
    ended = run.ended()
    out, err = ended.out, ended.err
    assert ended.code == 0, err
    assert "note: the Prefect server stopped answering" in err
    assert "Traceback" not in err
    assert "ERROR" not in err
    assert "API" not in err
    report = Path(out.strip().splitlines()[-1].removeprefix("report: "))
    assert (report / "manifest.json").is_file()


def test_a_server_gone_while_the_last_model_trains_costs_no_comparison(start, folder, server):
    (folder / "linear.yaml").write_text("model: sklearn.linear_model:LogisticRegression\n")
    (folder / "slow.yaml").write_text("model: slow_model:build\n")
    command = [sys.executable, str(ROOT / "flows" / "compare.py"), "linear.yaml", "slow.yaml"]
    run = started(start, folder, server.url, (*command, "--split.n_splits", "3"), folds=4)
    server.stop()
    ended = run.ended()
    out, err = ended.out, ended.err
    assert ended.code == 0, err
    assert "note: the Prefect server stopped answering" in err
    assert "Traceback" not in err
    comparison = Path(out.strip().splitlines()[-1].removeprefix("report: "))
    assert (comparison / "manifest.json").is_file()


def test_a_server_gone_before_the_next_model_is_said_in_one_line(start, folder, server):
    (folder / "linear.yaml").write_text("model: sklearn.linear_model:LogisticRegression\n")
    (folder / "slow.yaml").write_text("model: slow_model:build\n")
    command = [sys.executable, str(ROOT / "flows" / "compare.py"), "slow.yaml", "linear.yaml"]
    command += ["--split.n_splits", "3"]
    few = {"PREFECT_CLIENT_MAX_RETRIES": "1"}  # four minutes are as good as seconds
    run = started(start, folder, server.url, command, **few)
    server.stop()
    ended = run.ended()
    err = ended.err
    assert (ended.code, ended.out) == (1, ""), err
    last = err.strip().splitlines()[-1]
    assert last.startswith("error: the Prefect server does not answer (")
    assert last.endswith("run the same command again: finished folds are kept")
    assert "Traceback" not in err
    assert len(list(folder.glob("reports/folds/*.parquet"))) == 3


def test_a_server_that_comes_back_is_told_how_the_run_ended(start, folder, server):
    run = started(start, folder, server.url)
    os.kill(server._process.pid, signal.SIGSTOP)  # it hangs while two folds train
    run.wait_for(lambda: len(list(folder.glob("reports/folds/*.parquet"))) >= 3)
    os.kill(server._process.pid, signal.SIGCONT)
    ended = run.ended()
    out, err = ended.out, ended.err
    assert ended.code == 0, err
    assert "report: " in out
    assert "Traceback" not in err
    with (
        temporary_settings({PREFECT_API_URL: server.url}),
        get_client(sync_client=True) as client,
    ):
        (told,) = client.read_flow_runs()
    assert told.state is not None
    assert told.state.is_completed()


def test_a_server_that_is_not_there_is_said_in_one_line(tmp_path):
    ended = cv(
        "--model",
        "sklearn.linear_model:LogisticRegression",
        folder=tmp_path,
        PREFECT_API_URL="http://127.0.0.1:9/api",
    )
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "PREFECT_API_URL: http://127.0.0.1:9/api does not answer; start that server, or unset it "
        "to run without one\n"
    )


def test_the_clock_and_its_zone_have_no_effect(tmp_path, prefect_api):
    flags = ("--model", "sklearn.linear_model:LogisticRegression", "--split.n_splits", "3")
    found = []
    for zone in ("Pacific/Kiritimati", "America/St_Johns"):
        (tmp_path / zone[:7]).mkdir()
        ended = cv(*flags, folder=tmp_path / zone[:7], PREFECT_API_URL=prefect_api, TZ=zone)
        report = report_of(ended)
        found.append((report / "manifest.json").read_bytes())
    assert found[0] == found[1]
