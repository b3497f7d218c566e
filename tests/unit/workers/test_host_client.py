"""A host process, its workers, and what is left when any of them ends."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from foldproof.tasks.common.errors import Interrupted
from foldproof.tasks.workers.host_client import CallTimeout, WorkerEnded, WorkerHost
from foldproof.tasks.workers.host_process import FRESH_VARIABLE
from tests.support.processes import all_gone, as_soon_as, children, join_all, wait_for

WAYS = {"forked": {FRESH_VARIABLE: ""}, "fresh": {FRESH_VARIABLE: "1"}}


class Odd(Exception):
    """An exception that cannot be made again from its arguments."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} is not {other}")


def refuse(kind: str) -> None:
    """Raise, or end the process."""
    if kind == "odd":
        raise Odd(1, 2)
    if kind == "os":
        raise FileNotFoundError("no such thing")
    if kind == "exit":
        raise SystemExit(7)
    os._exit(9)


@pytest.fixture(scope="module", params=WAYS)
def host(tmp_path_factory, request):
    """A host without TensorFlow."""
    folder = tmp_path_factory.mktemp("host")
    made = WorkerHost(False, 1, folder, folder / "log", WAYS[request.param])
    yield made
    made.stop()


def test_a_worker_does_one_call_after_another_in_one_process(host):
    worker = host.start_worker()
    worker.begin(os.chdir, "/")
    assert worker.call(os.getcwd) == "/"
    assert worker.call(os.getpid) == worker.call(os.getpid) != os.getpid()
    assert host.start_worker().call(os.getpid) != worker.call(os.getpid)


def test_a_large_result_comes_whole(host):
    assert len(host.start_worker().call(bytes, 20_000_000)) == 20_000_000


def test_an_exception_comes_as_it_is_with_where_it_was_raised(host):
    worker = host.start_worker()
    with pytest.raises(FileNotFoundError, match="no such thing") as caught:
        worker.call(refuse, "os")
    assert "in refuse" in caught.value.__notes__[0]
    with pytest.raises(RuntimeError, match="Odd: 1 is not 2"):
        worker.call(refuse, "odd")
    assert worker.call(abs, -1) == 1


def test_what_a_worker_begins_with_may_fail(host):
    worker = host.start_worker()
    worker.begin(os.chdir, "/no/such/folder")
    with pytest.raises(FileNotFoundError):
        worker.call(os._exit, 3)  # which is not called then
    assert worker.call(abs, -3) == 3


@pytest.mark.parametrize("way", WAYS)
def test_a_worker_that_cannot_be_started_is_one_that_ended(way, tmp_path: Path, monkeypatch):
    # No limit on processes holds for root, so that the fault is put in where the system has it.
    raising = "def refuse(*_):\n    raise BlockingIOError('too many processes')\n"
    faulty = f"import os\n{raising}os.fork = os.posix_spawn = refuse\n"
    (tmp_path / "sitecustomize.py").write_text(faulty)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]]))
    host = WorkerHost(False, 1, tmp_path, tmp_path / "log", WAYS[way])
    with pytest.raises(WorkerEnded) as caught:
        host.start_worker().call(abs, -1)
    assert caught.value.exit_code == 1
    host.stop()


@pytest.mark.parametrize(("how", "code"), [("exit", 7), ("os._exit", 9)])
def test_a_worker_that_ends_says_with_which_code(host, how, code):
    worker = host.start_worker()
    with pytest.raises(WorkerEnded) as caught:
        worker.call(refuse, how)
    assert caught.value.exit_code == code
    assert worker.ended.is_set()


def test_a_killed_worker_says_by_which_signal(host):
    worker = host.start_worker()
    pid = worker.call(os.getpid)
    killer = as_soon_as(lambda: True, lambda: os.kill(pid, signal.SIGSEGV))
    with pytest.raises(WorkerEnded) as caught:
        worker.call(time.sleep, 60)
    join_all([killer])
    assert caught.value.exit_code == -signal.SIGSEGV


def test_a_call_past_its_time_ends_with_its_process(host):
    worker = host.start_worker()
    process = psutil.Process(worker.call(os.getpid))
    with pytest.raises(CallTimeout):
        worker.call(time.sleep, 60, timeout=0.2)
    assert all_gone([process])


def test_nothing_of_this_process_is_changed_and_the_environment_is_the_hosts(host, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "13")
    before = dict(os.environ)
    worker = host.start_worker()
    assert worker.call(os.getenv, "OMP_NUM_THREADS") == "1"
    assert dict(os.environ) == before


def test_a_killed_host_takes_its_workers_along_and_is_started_again(host):
    worker = host.start_worker()
    process = psutil.Process(worker.call(os.getpid))
    os.kill(host.pid, signal.SIGKILL)
    with pytest.raises(WorkerEnded):
        worker.call(time.sleep, 60)
    assert all_gone([process])
    assert host.start_worker().call(abs, -2) == 2


def test_a_host_that_is_stopped_leaves_nothing_and_starts_nothing(tmp_path: Path):
    host = WorkerHost(False, 1, tmp_path, tmp_path / "log")
    busy = host.start_worker()
    processes = [psutil.Process(host.pid), psutil.Process(busy.call(os.getpid))]
    stopper = as_soon_as(lambda: True, host.stop)
    with pytest.raises(WorkerEnded):
        busy.call(time.sleep, 60)
    join_all([stopper])
    assert all_gone(processes)
    with pytest.raises(Interrupted):
        host.start_worker()


def test_a_host_that_is_stopped_while_it_loads_is_gone_at_once(tmp_path: Path):
    host = WorkerHost(True, 1, tmp_path, tmp_path / "log")
    process = psutil.Process(host.pid)
    host.stop()
    assert not process.is_running()


def test_a_worker_that_still_loads_goes_with_its_killed_host(tmp_path: Path):
    host = WorkerHost(True, 1, tmp_path, tmp_path / "log", WAYS["fresh"])
    worker = host.start_worker()
    wait_for(lambda: children(host.pid))
    loading = children(host.pid)
    os.kill(host.pid, signal.SIGKILL)
    with pytest.raises(WorkerEnded):
        worker.call(abs, -1)
    assert all_gone(loading)
    host.stop()


@pytest.mark.parametrize("way", WAYS)
def test_where_the_kernel_does_not_end_a_worker_it_watches_its_host(
    way, tmp_path: Path, monkeypatch
):
    lacking = (
        "import ctypes\n\n\nclass Lacking(ctypes.CDLL):\n    def __getattr__(self, name):\n"
        "        if name == 'prctl':\n            raise AttributeError(name)\n"
        "        return super().__getattr__(name)\n\n\nctypes.CDLL = Lacking\n"
    )
    (tmp_path / "sitecustomize.py").write_text(lacking)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]]))
    host = WorkerHost(False, 1, tmp_path, tmp_path / "log", WAYS[way])
    worker = host.start_worker()
    process = psutil.Process(worker.call(os.getpid))
    assert process.num_threads() > 1
    os.kill(host.pid, signal.SIGKILL)
    with pytest.raises(WorkerEnded):
        worker.call(time.sleep, 60)
    assert all_gone([process])
    host.stop()
