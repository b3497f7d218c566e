"""A Prefect server and workers as processes of this machine, for as long as a block lasts."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from foldproof.deployments.settings import SERVER, UNASKED, WORKER
from foldproof.tasks.prefect_server.server import answers_in_time

PORT = 4200
PR_SET_CHILD_SUBREAPER = 36
START_TIMEOUT_S = 300.0  # seconds; the first start of all makes the database
STOP_TIMEOUT_S = 15.0  # seconds that a process has to tell the server how its runs ended


@contextmanager
def local_server(port: int = PORT) -> Iterator[str]:
    """Run a Prefect server with its UI, and point this process and its children to it.

    Yields:
        The UI's address.

    Raises:
        SystemExit: the port is taken, or the server did not start.
    """
    _refuse_taken(port)
    address = f"http://127.0.0.1:{port}"
    os.environ["PREFECT_API_URL"] = f"{address}/api"
    command = ["server", "start", "--host", "127.0.0.1", "--port", str(port), "--log-level"]
    server = start(prefect(*command, "WARNING"), SERVER, quiet=True)
    try:
        if not answers_in_time(server, f"{address}/api", START_TIMEOUT_S):
            raise SystemExit("the Prefect server did not start")
        yield address
    finally:
        stop(server)


@contextmanager
def local_worker(pool: str, folder: Path | None = None) -> Iterator[None]:
    """Run a worker of a pool, one run at a time.

    Args:
        pool: its name.
        folder: where it works; default: here.

    Raises:
        SystemExit: it did not start.
    """
    name = f"{pool}-{socket.gethostname()}"
    command = prefect("worker", "start", "--pool", pool, "--limit", "1", "--name", name)
    worker = start(command, WORKER, quiet=True, folder=folder)
    try:
        _wait_for_worker(worker, pool, name)
        yield
    finally:
        stop(worker)


def prefect(*arguments: str) -> list[str]:
    """Return a `prefect` command line for this interpreter."""
    return [sys.executable, "-m", "prefect", *arguments]


def start(
    command: Sequence[str],
    defaults: Mapping[str, str],
    quiet: bool = False,
    folder: Path | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a process in a session of its own, without input.

    Args:
        command: the command.
        defaults: environment variables where the environment does not say otherwise.
        quiet: keep what it prints from the terminal; what it warns of is still shown.
        folder: where it works; default: here.
    """
    return subprocess.Popen(
        command,
        env={**defaults, **os.environ, **UNASKED},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if quiet else None,
        cwd=folder,
        start_new_session=True,
    )


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process and wait; kill it if it does not let go."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def adopt_orphans() -> None:
    """Become the subreaper of orphaned grandchildren, so that `end_children` finds them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_children() -> None:
    """Kill all remaining descendants of this process."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while left := children.read_text().split() if children.exists() else []:
        for pid in map(int, left):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise SystemExit(f"port {port}: {reason}; choose another, as in PORT=4300") from None


def _wait_for_worker(worker: "subprocess.Popen[bytes]", pool: str, name: str) -> None:
    from prefect import get_client
    from prefect.client.schemas.filters import WorkerFilter, WorkerFilterStatus

    online = WorkerFilter(status=WorkerFilterStatus(any_=["ONLINE"]))
    deadline = time.monotonic() + START_TIMEOUT_S
    with get_client(sync_client=True) as client:
        while worker.poll() is None and time.monotonic() < deadline:
            if name in {each.name for each in client.read_workers_for_work_pool(pool, online)}:
                return
            time.sleep(0.2)
    raise SystemExit(f"the worker of the pool {pool} did not start")


def study_folder(text: str) -> Path:
    """Return the folder of a study, as a command line names it.

    Raises:
        ArgumentTypeError: there is none.
    """
    path = Path(text).expanduser().resolve()
    if not path.is_dir():
        raise ArgumentTypeError(f"no folder {text!r}; give the folder of your study")
    return path
