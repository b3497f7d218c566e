"""Workers that crash or starve, worker hosts that are killed, disks that are full: all real."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from foldproof.tasks.config.study import parse_study
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from foldproof.tasks.workers.host_process import FRESH_VARIABLE
from foldproof.tasks.workers.slots import Slots
from tests.support.command import CV, cv, report_of, run
from tests.support.processes import as_soon_as

pytestmark = pytest.mark.long

ESTIMATOR = """
import ctypes, os, pathlib, sys
import numpy as np
from sklearn.linear_model import LogisticRegression

class Faulty(LogisticRegression):
    def fit(self, x, y, **options):
        with open("tries", "a") as file:
            file.write(f"{os.getpid()}\\n")
        return super().fit(x, y, **options) if self.calm() else self.fail()

class CrashesOnce(Faulty):
    def calm(self):
        return len(open("tries").readlines()) > 1

    def fail(self):
        ctypes.string_at(0)

class Hungry(Faulty):
    def calm(self):
        return False

    def fail(self):
        self.hoard = [np.ones(2**24) for _ in range(100)]

class Patient(LogisticRegression):
    def fit(self, x, y, **options):
        import time
        time.sleep(4)
        return super().fit(x, y, **options)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with models that fail in the ways of native code."""
    (tmp_path / "faulty.py").write_text(ESTIMATOR)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.fixture(params=["forked", "fresh"])
def start_of_workers(request, monkeypatch):
    """How workers begin; fresh as on systems where forking is not safe."""
    monkeypatch.setenv(FRESH_VARIABLE, "1" if request.param == "fresh" else "")
    return request.param


def given(name: str, **compute: Any) -> dict[str, Any]:
    return {
        "model": {"builder": f"faulty:{name}"},
        "split": {"n_splits": 3},
        "compute": {"workers": 1, **compute},
    }


def trained(settings: dict[str, Any], disturb=lambda run: None):
    """Train fold 0/0 and return its record and what is stored of it."""
    with launched(Run(parse_study(settings), Display("quiet"))) as run:
        run.check()
        disturb(run)
        record = train_without_prefect(run, run.jobs[0])
        store = run.jobs[0].store
        return record, read_fold(store, run.jobs[0].key) if store.exists() else None


def test_a_segmentation_fault_costs_one_try_in_a_new_process(folder):
    record, fold = trained(given("CrashesOnce"))
    assert record.error is None
    assert (record.attempt, fold.execution.attempt) == (2, 2)
    tries = (folder / "tries").read_text().split()
    assert len(tries) == len(set(tries)) == 2
    calm, _ = trained(given("CrashesOnce") | {"out": "calm"})
    assert calm.attempt == 1
    assert calm.predictions == record.predictions is not None


@pytest.mark.usefixtures("start_of_workers")
def test_a_worker_that_starves_says_how_much_it_had_and_what_to_change(folder):
    record, fold = trained(given("Hungry", memory_limit=1024, retries=1))
    assert fold is None
    assert record.attempt == 2
    assert "MiB when it asked for more than it may have, 1024 MiB (compute.memory_limit)" in (
        record.error
    )
    assert record.error.endswith(
        "lower train.batch_size or compute.workers, or give it more, in each of 2 tries"
    )
    tries = (folder / "tries").read_text().split()
    assert len(tries) == len(set(tries)) == 2  # the second try had a process of its own


@pytest.mark.usefixtures("start_of_workers")
def test_a_killed_host_costs_one_try(folder):
    def kill_soon(run: Run) -> None:
        slots, progress = run.slots, run.slots.slots[0].progress_path
        assert isinstance(slots, Slots)
        server = slots.host

        as_soon_as(progress.exists, lambda: os.kill(server.pid, signal.SIGKILL))

    record, fold = trained(given("Patient"), kill_soon)
    assert record.error is None
    assert record.attempt == 2
    calm, again = trained(given("Patient") | {"out": "calm"})
    assert (calm.attempt, calm.predictions) == (1, record.predictions)
    assert fold.content_digest() == again.content_digest()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a file system takes rights that this machine does not give")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


LINEAR = ("--model", "sklearn.linear_model:LogisticRegression")


def test_a_disk_that_fills_up_is_one_line_and_the_rest_goes_on_later(
    tmp_path, small_disk, prefect_api
):
    flags = (*LINEAR, "--data", "digits", "--split.n_splits", "60", "--out", str(small_disk))
    ended = cv(*flags, folder=tmp_path, PREFECT_API_URL=prefect_api)
    assert ended.code == 1, ended.err
    assert ended.out == ""
    last = ended.err.splitlines()[-1]
    assert last.startswith("error: out: ")
    assert "cannot be written (no space left on the device)" in last
    assert last.endswith("run the same command again: finished folds are kept")
    assert "Traceback" not in ended.err
    assert not list(small_disk.glob("runs/*"))
    kept = list((small_disk / "folds").iterdir())
    assert kept
    assert all(path.suffix == ".parquet" for path in kept)
    subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
    again = cv(*flags, folder=tmp_path, PREFECT_API_URL=prefect_api)
    report_of(again)
    assert f"{len(kept)} of 60" in again.err
    assert len(list((small_disk / "folds").iterdir())) == 60


def test_a_read_only_disk_is_refused_before_anything_starts(tmp_path, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    ended = cv(*LINEAR, "--out", str(small_disk / "reports"), folder=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("out: cannot write to ")
    assert ended.err.count("\n") == 1


def test_no_room_for_the_data_is_one_line(tmp_path, small_disk):
    rows = "".join(f"{i},{i % 7},{i % 2}\n" for i in range(60000))
    (tmp_path / "large.csv").write_text("a,b,y\n" + rows)
    flags = (*LINEAR, "--data", "large.csv", "--data.target", "y", "--data.task", "binary")
    short = tempfile.mkdtemp(dir="/tmp")
    Path(short).rmdir()
    Path(short).symlink_to(small_disk)
    ended = cv(*flags, folder=tmp_path, TMPDIR=short)
    Path(short).unlink()
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.count("\n") == 1, ended.err
    assert ended.err.startswith("error: the data, as arrays in ")
    assert ended.err.endswith("make room there, or set TMPDIR to another folder\n")


NO_LOCKS = (
    "import errno, fcntl\n\n\ndef flock(*arguments):\n"
    "    raise OSError(errno.ENOLCK, 'No locks available')\n\n\nfcntl.flock = flock\n"
)


def test_where_locks_fail_work_is_done_twice_and_nothing_is_torn(start, tmp_path, prefect_api):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NO_LOCKS)
    flags = [*LINEAR, "--split.n_splits", "20", "--data", "digits"]
    variables = {"PREFECT_API_URL": prefect_api, "PYTHONPATH": str(tmp_path / "site")}
    runs = [start([*CV, *flags], tmp_path, **variables) for _ in range(2)]
    one, other = [run.ended() for run in runs]
    assert (one.code, other.code) == (0, 0), one.err + other.err
    assert one.out == other.out
    assert len(list((tmp_path / "reports" / "folds").iterdir())) == 20
    verify = [sys.executable, str(Path(CV[1]).with_name("verify.py"))]
    ended = run([*verify, str(report_of(one)), "--folds", "0"], tmp_path)
    assert ended.code == 0, ended.out
