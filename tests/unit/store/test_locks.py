"""A fold's lock: one owner at a time, given up by the dead, and no leftovers."""

import signal
import sys
import threading

import pytest

from foldproof.tasks.common.errors import Interrupted
from foldproof.tasks.store.locks import fold_lock
from tests.support.command import CV
from tests.support.places import ROOT
from tests.support.processes import join_all

HOLD = (
    "import sys, threading, time; from pathlib import Path\n"
    "from foldproof.tasks.store.locks import fold_lock\n"
    "with fold_lock(Path(sys.argv[1]), threading.Event()):\n"
    "    print('held', flush=True); time.sleep(600)\n"
)


@pytest.fixture
def owner(start, tmp_path):
    """Another process that holds the lock of `fold.parquet`."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "fold.parquet")]
    process = start(command, ROOT)
    process.wait_for(lambda: process.out == "held\n")
    return process


def test_a_lock_is_waited_for_until_its_owner_is_dead(tmp_path, owner):
    got = threading.Event()

    def wait():
        with fold_lock(tmp_path / "fold.parquet", threading.Event()):
            got.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not got.wait(0.5)
    owner.send(signal.SIGKILL)
    assert got.wait(30)
    join_all([thread])
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_run_does_not_wait(tmp_path, owner):
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(Interrupted), fold_lock(tmp_path / "fold.parquet", stopped):
        pass


def test_without_a_place_for_locks_work_goes_on(tmp_path):
    with fold_lock(tmp_path / "missing" / "fold.parquet", threading.Event()):
        pass
    assert list(tmp_path.iterdir()) == []


def test_many_take_turns(tmp_path):
    inside, most = [], []

    def enter():
        for _ in range(20):
            with fold_lock(tmp_path / "fold.parquet", threading.Event()):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    join_all(threads)
    assert len(most) == 80
    assert max(most) == 1


@pytest.mark.long
def test_two_runs_at_once_train_no_fold_twice(start, tmp_path, prefect_api):
    flags = ["--out", str(tmp_path / "out"), "--split.n_splits", "6", "--train.epochs", "20"]
    command = [*CV, *flags, "--train.engine", "plain"]
    runs = [start(command, tmp_path, PREFECT_API_URL=prefect_api) for _ in range(2)]
    one, other = [run.ended() for run in runs]
    assert (one.code, other.code) == (0, 0), one.err + other.err
    assert one.out == other.out
    lines = one.err + other.err
    assert lines.count(" done on ") == 6
    assert lines.count(" from the store") == 6
    assert len(list((tmp_path / "out" / "folds").iterdir())) == 6
