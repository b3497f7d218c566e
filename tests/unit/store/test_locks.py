"""A fold's lock: one owner at a time, given up by the dead, and no leftovers."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from foldproof.tasks.common.errors import Interrupted
from foldproof.tasks.store.locks import fold_lock
from tests.support.command import CV

HOLD = (
    "import sys, threading, time; from pathlib import Path\n"
    "from foldproof.tasks.store.locks import fold_lock\n"
    "with fold_lock(Path(sys.argv[1]), threading.Event()):\n"
    "    print('held', flush=True); time.sleep(600)\n"
)


@pytest.fixture
def owner(tmp_path):
    """Another process that holds the lock of `fold.parquet`."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "fold.parquet")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_lock_is_waited_for_until_its_owner_is_dead(tmp_path, owner):
    got = threading.Event()

    def wait():
        with fold_lock(tmp_path / "fold.parquet", threading.Event()):
            got.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not got.wait(0.5)
    owner.send_signal(signal.SIGKILL)
    assert got.wait(30)
    thread.join()
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
    for thread in threads:
        thread.join()
    assert len(most) == 80
    assert max(most) == 1


@pytest.mark.long
def test_two_runs_at_once_train_no_fold_twice(tmp_path, prefect_api):
    flags = ["--out", str(tmp_path / "out"), "--split.n_splits", "6", "--train.epochs", "20"]
    started = [
        subprocess.Popen(
            [*CV, *flags, "--train.engine", "plain"],
            cwd=tmp_path,
            env=os.environ | {"PREFECT_API_URL": prefect_api},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    printed = [process.communicate(timeout=240) for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert printed[0][0] == printed[1][0]
    lines = "".join(err for _, err in printed)
    assert lines.count(" done on ") == 6
    assert lines.count(" from the store") == 6
    assert len(list((tmp_path / "out" / "folds").iterdir())) == 6
