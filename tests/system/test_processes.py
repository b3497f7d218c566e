"""Real processes, real signals: nothing is left behind, nothing is lost, the bits are the same."""

import os
import signal
import tempfile
import threading
from pathlib import Path

import pexpect
import psutil
import pytest

from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.machine.devices import place
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from foldproof.tasks.store.scratch import make_scratch, remove_scratch
from foldproof.tasks.workers import slot as workers
from foldproof.tasks.workers.host_process import FRESH_VARIABLE
from foldproof.tasks.workers.slots import Slots
from tests.support.command import CV, cv, report_of
from tests.support.prefect_home import made_home
from tests.support.processes import (
    PATIENCE_S,
    Start,
    Started,
    all_gone,
    as_soon_as,
    children,
    family,
    join_all,
)
from tests.support.training import settings, train_some

pytestmark = pytest.mark.long

LONG = ("--split.n_splits", "4", "--train.epochs", "100000", "--train.engine", "plain")


@pytest.fixture(scope="module")
def api(prefect_api):
    """The address of a real Prefect server."""
    return {"PREFECT_API_URL": prefect_api}


@pytest.fixture(params=["forked", "fresh"])
def own_slots(request, monkeypatch):
    """One worker of the test's own, which it may kill."""
    # Fresh as on systems where forking is not safe.
    monkeypatch.setenv(FRESH_VARIABLE, "1" if request.param == "fresh" else "")
    scratch = make_scratch()
    slots = Slots(place(ComputeSpec(workers=1)), True, scratch, scratch / "log")
    yield slots
    slots.stop()
    remove_scratch(scratch)


def start_long(start: Start, folder: Path, **variables: str) -> Started:
    """Start a run that would take hours and wait until its folds train."""
    started = start([*CV, *LONG], folder, **variables)
    scratch = Path(tempfile.gettempdir())
    started.wait_for(lambda: any(scratch.glob(f"foldproof-{started.pid}-*/progress-*")))
    return started


def test_the_live_view_and_ctrl_c_in_a_terminal(tmp_path, api):
    child = pexpect.spawn(
        CV[0],
        [*CV[1:], *LONG],
        cwd=str(tmp_path),
        env=os.environ | api,
        timeout=PATIENCE_S,
        dimensions=(30, 120),
        encoding="utf-8",
    )
    child.expect(r"0 of 4 folds")
    child.expect(r"cpu:0  fold 0/\d  epoch [1-9]\d*/100000  loss \d")
    processes = family(child.pid)
    assert len(processes) > 2
    child.sendintr()
    child.expect("stopped: 0 finished folds are stored; the same command goes on from there")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert all_gone(processes[1:])


def test_ctrl_c_with_an_embedded_server_ends_it_too(start, tmp_path):
    home = {"PREFECT_HOME": made_home(tmp_path / "home"), "PREFECT_API_URL": ""}
    run = start_long(start, tmp_path, **home)
    processes = family(run.pid)
    assert any("embedded_server" in " ".join(p.cmdline()) for p in processes)
    os.killpg(run.pid, signal.SIGINT)
    assert run.ended().code == 130
    assert all_gone(processes)


@pytest.mark.parametrize(
    ("number", "fresh"),
    [(signal.SIGTERM, ""), (signal.SIGTERM, "1"), (signal.SIGKILL, ""), (signal.SIGKILL, "1")],
)
def test_a_killed_flow_leaves_no_process_behind(start, tmp_path, api, number, fresh):
    run = start_long(start, tmp_path, **api, **{FRESH_VARIABLE: fresh})
    processes = family(run.pid)
    run.send(number)
    ended = run.ended()
    assert ended.code == (143 if number == signal.SIGTERM else -9)
    assert all_gone(processes)
    if number == signal.SIGTERM:
        assert "the same command goes on from there" in ended.err


def test_finished_folds_survive_a_killed_flow(start, tmp_path, api):
    arguments = ["--split.n_splits", "6", "--train.epochs", "30", "--train.engine", "plain"]
    arguments += ["--compute.workers", "1"]
    run = start([*CV, *arguments], tmp_path, **api)
    folds = tmp_path / "reports" / "folds"
    run.wait_for(lambda: len(list(folds.glob("*.parquet"))) >= 2)
    run.send(signal.SIGKILL)
    run.ended()
    kept = {path.name: path.stat().st_mtime_ns for path in folds.glob("*.parquet")}
    again = cv(*arguments, folder=tmp_path, **api)
    report_of(again)
    assert again.err.count("from the store") == len(kept) >= 2
    assert {path.name: path.stat().st_mtime_ns for path in folds.glob("*.parquet")}.items() >= (
        kept.items()
    )
    assert len(list(folds.iterdir())) == 6


def killed_soon(slots: Slots, progress: Path) -> threading.Thread:
    """Kill the worker once it has trained an epoch, once."""

    def kill() -> None:
        for worker in children(slots.host.pid):
            worker.kill()

    return as_soon_as(progress.exists, kill)


def test_a_killed_worker_costs_one_try_and_no_bit(tmp_path, own_slots):
    given = settings(tmp_path / "a", "dense", train={"epochs": 60, "engine": "plain"})
    with launched(Run(parse_study(given), Display("quiet"), slots=own_slots)) as run:
        run.check()
        killer = killed_soon(own_slots, own_slots.slots[0].progress_path)
        record = train_without_prefect(run, run.jobs[0])
        join_all([killer])
    assert record.error is None, record.error
    assert record.attempt == 2
    calm = settings(tmp_path / "b", "dense", train={"epochs": 60, "engine": "plain"})
    with launched(Run(parse_study(calm), Display("quiet"), slots=own_slots)) as run:
        run.check()
        undisturbed = train_without_prefect(run, run.jobs[0])
    assert undisturbed.attempt == 1
    assert (record.weights, record.predictions) == (undisturbed.weights, undisturbed.predictions)


def test_a_restarted_worker_compiles_anew_and_no_bit_changes(tmp_path, own_slots):
    before, _ = train_some(settings(tmp_path / "a", "dense"), [(0, 0), (0, 1)], own_slots)
    (worker,) = psutil.Process(own_slots.host.pid).children()
    worker.kill()
    after, jobs = train_some(settings(tmp_path / "b", "dense"), [(0, 1)], own_slots)
    assert read_fold(jobs[0].store, jobs[0].key).execution.pid != worker.pid
    assert before[1].notice == after[0].notice == ""
    assert before[1].weights == after[0].weights is not None
    assert before[1].predictions == after[0].predictions


def test_a_fold_past_its_time_is_killed_and_says_so(tmp_path, own_slots):
    given = settings(
        tmp_path,
        "dense",
        train={"epochs": 100000, "engine": "plain"},
        compute={"fold_timeout": 4.0, "retries": 1},
    )
    with launched(Run(parse_study(given), Display("quiet"), slots=own_slots)) as run:
        run.check()
        record = train_without_prefect(run, run.jobs[0])
    assert record.error == "ran past 4 seconds, in each of 2 tries"
    assert record.attempt == 2


def test_a_worker_that_grew_is_replaced_and_no_bit_changes(tmp_path, own_slots, monkeypatch):
    found = {}
    for bound in (1e6, 2.0):
        monkeypatch.setattr(workers, "MAX_GROWTH_MIB", bound)
        given = settings(tmp_path / str(bound), "dense", train={"engine": "plain"})
        records, jobs = train_some(given, [(0, fold) for fold in range(5)], own_slots)
        pids = [read_fold(job.store, job.key).execution.pid for job in jobs]
        found[bound] = [(record.weights, record.predictions) for record in records], len(set(pids))
    assert found[1e6][1] == 1
    # A successor that is no fork is not warm before these folds are over.
    assert found[2.0][1] > 1 or os.environ.get(FRESH_VARIABLE)
    assert found[1e6][0] == found[2.0][0]


def test_a_killed_flow_of_fresh_workers_is_resumed_to_the_bits_of_forked_ones(start, tmp_path, api):
    arguments = ["--split.n_splits", "3", "--train.epochs", "30", "--train.engine", "plain"]
    arguments += ["--compute.workers", "1"]
    fresh = {**api, FRESH_VARIABLE: "1"}
    run = start([*CV, *arguments], tmp_path, **fresh)
    run.wait_for(lambda: list((tmp_path / "reports" / "folds").glob("*.parquet")))
    run.send(signal.SIGKILL)
    run.ended()
    again = cv(*arguments, folder=tmp_path, **fresh)
    assert "from the store" in again.err
    forked = cv(*arguments, "--out", "forked", folder=tmp_path, **{**api, FRESH_VARIABLE: ""})
    manifests = [(report_of(each) / "manifest.json").read_bytes() for each in (again, forked)]
    assert manifests[0] == manifests[1]
