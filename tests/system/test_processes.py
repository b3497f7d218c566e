"""Real processes, real signals: nothing is left behind, nothing is lost, the bits are the same."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pexpect
import psutil
import pytest

from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.machine.devices import place
from foldproof.tasks.prefect_flow.fold_task import train_here
from foldproof.tasks.run.progress_view import Display
from foldproof.tasks.run.session import Run, launched
from foldproof.tasks.store.fold_file import read_fold
from foldproof.tasks.store.scratch import make_scratch, remove_scratch
from foldproof.tasks.workers import slots as workers
from foldproof.tasks.workers.slots import Slots
from tests.support.command import CV, cv, report_of
from tests.support.training import settings, train_some

pytestmark = pytest.mark.long

LONG = ("--split.n_splits", "4", "--train.epochs", "100000", "--train.engine", "plain")
PATIENCE = 120


@pytest.fixture(scope="module")
def api(prefect_api):
    """The address of a real Prefect server."""
    return {"PREFECT_API_URL": prefect_api}


@pytest.fixture
def own_slots():
    """One worker of the test's own, which it may kill."""
    scratch = make_scratch()
    slots = Slots(place(ComputeSpec(workers=1)), True, scratch, scratch / "log")
    yield slots
    slots.stop()
    remove_scratch(scratch)


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all that it started."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def all_gone(processes: list[psutil.Process]) -> bool:
    """Wait until all processes are gone."""
    _, alive = psutil.wait_procs(processes, timeout=10)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive)


def start(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen:
    """Start cv.py in a session of its own; what it says goes to a file `said`."""
    with (folder / "said").open("w") as said:
        return subprocess.Popen(
            [*CV, *arguments],
            cwd=folder,
            env=os.environ | variables,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )


def start_long(folder: Path, **variables: str) -> subprocess.Popen:
    """Start a run that would take hours and wait until its folds train."""
    process = start(folder, *LONG, **variables)
    scratch = Path(tempfile.gettempdir())
    wait_for(lambda: any(scratch.glob(f"foldproof-{process.pid}-*/progress-*")), process, folder)
    return process


def wait_for(condition, process, folder) -> None:
    """Wait for a condition while a process lives."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, (folder / "said").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_live_view_and_ctrl_c_in_a_terminal(tmp_path, api):
    child = pexpect.spawn(
        CV[0],
        [*CV[1:], *LONG],
        cwd=str(tmp_path),
        env=os.environ | api,
        timeout=PATIENCE,
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


def test_ctrl_c_with_an_embedded_server_ends_it_too(tmp_path):
    home = {"PREFECT_HOME": str(tmp_path / "home"), "PREFECT_API_URL": ""}
    process = start_long(tmp_path, **home)
    processes = family(process.pid)
    assert any("embedded_server" in " ".join(p.cmdline()) for p in processes)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    process.wait(timeout=PATIENCE)
    assert time.monotonic() - began < 20  # a guard: the promise of 5 s is for the bench
    assert process.returncode == 130
    assert all_gone(processes)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_flow_leaves_no_process_behind(tmp_path, api, number):
    process = start_long(tmp_path, **api)
    processes = family(process.pid)
    os.kill(process.pid, number)
    assert process.wait(timeout=PATIENCE) == (143 if number == signal.SIGTERM else -9)
    assert all_gone(processes)
    if number == signal.SIGTERM:
        assert "the same command goes on from there" in (tmp_path / "said").read_text()


def test_finished_folds_survive_a_killed_flow(tmp_path, api):
    arguments = ("--split.n_splits", "6", "--train.epochs", "30", "--train.engine", "plain")
    arguments += ("--compute.workers", "1")
    process = start(tmp_path, *arguments, **api)
    folds = tmp_path / "reports" / "folds"
    wait_for(lambda: len(list(folds.glob("*.parquet"))) >= 2, process, tmp_path)
    process.kill()
    process.wait()
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
        while not progress.exists():
            time.sleep(0.01)
        server = psutil.Process(slots._context.pid)
        for worker in server.children():
            worker.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def test_a_killed_worker_costs_one_try_and_no_bit(tmp_path, own_slots):
    given = settings(tmp_path / "a", "dense", train={"epochs": 60, "engine": "plain"})
    with launched(Run(parse_study(given), Display("quiet"), slots=own_slots)) as run:
        run.check()
        killer = killed_soon(own_slots, own_slots.slots[0].progress_path)
        record = train_here(run, run.jobs[0])
        killer.join()
    assert record.error is None, record.error
    assert record.attempt == 2
    calm = settings(tmp_path / "b", "dense", train={"epochs": 60, "engine": "plain"})
    with launched(Run(parse_study(calm), Display("quiet"), slots=own_slots)) as run:
        run.check()
        undisturbed = train_here(run, run.jobs[0])
    assert undisturbed.attempt == 1
    assert (record.weights, record.predictions) == (undisturbed.weights, undisturbed.predictions)


def test_a_restarted_worker_compiles_anew_and_no_bit_changes(tmp_path, own_slots):
    before, _ = train_some(settings(tmp_path / "a", "dense"), [(0, 0), (0, 1)], own_slots)
    (worker,) = psutil.Process(own_slots._context.pid).children()
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
        record = train_here(run, run.jobs[0])
    assert record.error == "ran past 4 seconds, in each of 2 tries"
    assert record.attempt == 2


def test_a_worker_that_grew_is_replaced_and_no_bit_changes(tmp_path, own_slots, monkeypatch):
    found = {}
    for bound in (1e6, 2.0):
        monkeypatch.setattr(workers, "GROWTH", bound)
        given = settings(tmp_path / str(bound), "dense", train={"engine": "plain"})
        records, jobs = train_some(given, [(0, fold) for fold in range(5)], own_slots)
        pids = [read_fold(job.store, job.key).execution.pid for job in jobs]
        found[bound] = [(record.weights, record.predictions) for record in records], len(set(pids))
    assert found[1e6][1] == 1
    assert found[2.0][1] > 1
    assert found[1e6][0] == found[2.0][0]
