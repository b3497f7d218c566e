"""A Prefect server as `prefect server start` runs it, with a home of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foldproof.tasks.prefect_server.server import BATCHED
from tests.bench.processes import environment

PATIENCE = 180.0  # seconds
NO_ANALYTICS = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}


@contextmanager
def running_server(home: Path) -> Iterator[dict[str, str]]:
    """Yield the environment variables that make a process use this server."""
    own = {"PREFECT_HOME": str(home), **NO_ANALYTICS}
    port = _free_port()
    command = [sys.executable, "-m", "prefect", "server", "start"]
    with (home.parent / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            stdout=log,
            stderr=log,
            env=environment() | own | BATCHED,  # as the README advises
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}/api"
        _wait(process, url)
        yield {**own, "PREFECT_API_URL": url}
    finally:
        _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("prefect server start ended at once")
        with contextlib.suppress(OSError), direct.open(f"{url}/health", timeout=5):
            return
        time.sleep(0.1)
    raise RuntimeError(f"the Prefect server did not answer in {PATIENCE:g} seconds")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and what it started: they are a process group of their own."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
