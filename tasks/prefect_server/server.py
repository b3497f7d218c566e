"""Start, await and stop an embedded Prefect server; tell whether an API is configured."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foldproof.tasks.common.errors import RunFailed
from foldproof.tasks.common.places import python_path
from foldproof.tasks.prefect_server.home import prefect_home
from foldproof.tasks.prefect_server.prefect_internals import EPHEMERAL_SERVER

NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
ANSWER_PAUSE_S = 0.05  # between two tries
ANSWER_TIMEOUT_S = 5.0

START_TIMEOUT_S = 180.0  # the first start of all makes the database
ERROR = re.compile(r"^(?:\w+\.)*\w*Error: .*$", re.MULTILINE)
MAX_ERROR_CHARS = 200  # characters of a server's last error
SETTLE_TIMEOUT_S, SETTLE_TIMEOUT_A_TASK_S = 5.0, 0.05  # for its last writes
# Written one by one, task runs cost a server more than a small net costs a worker.
BATCHED = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
}
# Nobody watches an embedded server, and no automation can run on it.
NO_AUTOMATIONS = {
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_ENABLED": "false",
    "PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED": "false",
    "PREFECT_SERVER_EVENTS_STREAM_OUT_ENABLED": "false",
}
VARIABLES = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    EPHEMERAL_SERVER: "1",
    "PYTHONSAFEPATH": "1",
    **BATCHED,
    **NO_AUTOMATIONS,
}
FINAL_STATES = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")  # of a task run


class EmbeddedServer:
    """A Prefect server that starts in the background and ends with this process."""

    def __init__(self, log: Path | None, home: Path | None = None) -> None:
        """Start it; the caller goes on with other work.

        Args:
            log: the file for what it prints, or None for the terminal.
            home: the folder of its database; default Prefect's home.
        """
        self._log, self._home = log, {"PREFECT_HOME": str(home)} if home else {}
        self._unsettled: dict[str, int] = {}
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}/api"
            self._process = self._start(listener)

    def __str__(self) -> str:
        """Say what it is."""
        return "a Prefect server"

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            RunFailed: it ended, or did not answer in time.
        """
        if answers_in_time(self._process, self.url, START_TIMEOUT_S):
            return
        if self._process.poll() is not None:
            raise RunFailed(f"the embedded Prefect server did not start{self._last_error()}")
        raise RunFailed(
            f"the embedded Prefect server did not answer in {START_TIMEOUT_S:g} seconds"
        )

    def _last_error(self) -> str:
        """Return the last error that a server printed, where it prints to a file."""
        if self._log is None or not self._log.exists():
            return ""
        said = ERROR.findall(self._log.read_text(encoding="utf-8", errors="replace"))
        return f" ({said[-1][:MAX_ERROR_CHARS]}); --verbose shows all of it" if said else ""

    def is_running(self) -> bool:
        """Return whether the process is alive."""
        return self._process.poll() is None

    def expect(self, flow_run: str, tasks: int) -> None:
        """Set how many task runs of a flow run the server must have stored before it stops.

        Args:
            flow_run: the flow run's id.
            tasks: how many there are.
        """
        self._unsettled[flow_run] = tasks

    def settle(self) -> None:
        """Wait until the server has stored the final states of all expected task runs.

        What is missing at last has been waited for in vain.
        """
        while self._unsettled:
            self._settle(*self._unsettled.popitem())

    def settle_and_stop(self) -> None:
        """Stop the server once it has stored all expected task runs."""
        self.settle()
        self.stop()

    def _settle(self, flow_run: str, tasks: int) -> None:
        query = {
            "flow_runs": {"id": {"any_": [flow_run]}},
            "task_runs": {"state": {"type": {"any_": FINAL_STATES}}},
        }
        deadline = time.monotonic() + SETTLE_TIMEOUT_S + SETTLE_TIMEOUT_A_TASK_S * tasks
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(urllib.error.URLError, OSError):
                if self._ask("task_runs/count", query) >= tasks:
                    return
            time.sleep(0.05)

    def _ask(self, path: str, query: dict[str, Any]) -> Any:
        request = urllib.request.Request(  # noqa: S310 (it is our own address)
            f"{self.url}/{path}",
            json.dumps(query).encode(),
            {"Content-Type": "application/json"},
        )
        with NO_PROXY.open(request, timeout=5) as answer:
            return json.load(answer)

    def stop(self) -> None:
        """Kill the server; its database survives that."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _start(self, listener: socket.socket) -> subprocess.Popen[bytes]:
        output = self._log.open("ab") if self._log else None
        path = python_path()
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "foldproof.tasks.prefect_server.embedded_server",
                str(listener.fileno()),
            ],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=os.environ | VARIABLES | {"PYTHONPATH": path} | self._home,
            pass_fds=[listener.fileno()],
            start_new_session=True,  # Ctrl-C is the flow's process's to handle
        )
        if output:
            output.close()
        return process


def api_is_configured() -> bool:
    """Tell whether a Prefect API is configured, by environment, profile or file.

    Prefect itself is asked where any of these speaks of it, or where it is loaded already:
    importing it takes two seconds.
    """
    if any(value for name, value in os.environ.items() if name.upper() == "PREFECT_API_URL"):
        return True
    if "prefect.settings" not in sys.modules and not _may_be_configured():
        return False
    from prefect.settings import get_current_settings

    return bool(get_current_settings().api.url)


def _may_be_configured() -> bool:
    """Return whether Prefect's profiles or settings files may configure an API."""
    profiles = Path(os.environ.get("PREFECT_PROFILES_PATH") or prefect_home() / "profiles.toml")
    if "api_url" in _text(profiles) or "prefect" in _text(Path(".env")):
        return True
    try:
        project = tomllib.loads(_text(Path("pyproject.toml")))
    except tomllib.TOMLDecodeError:
        return True  # whatever Prefect says of it
    return Path("prefect.toml").is_file() or bool(project.get("tool", {}).get("prefect"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return ""


@contextmanager
def server_in_settings(server: EmbeddedServer | None) -> Iterator[None]:
    """Point Prefect's settings to the embedded server, once it answers."""
    if server is None:
        yield
        return
    server.wait()
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
        temporary_settings,
    )

    # Nobody waits for heartbeats there, and a flow waits at its end for the thread that sends them.
    alone = {PREFECT_API_URL: server.url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    with temporary_settings(alone):
        yield


def answers_in_time(server: "subprocess.Popen[bytes]", api: str, seconds: float) -> bool:
    """Wait until a server answers; False where it ended, or did not answer in time.

    Args:
        server: its process.
        api: the address, which ends in /api.
        seconds: to wait at most.
    """
    deadline = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < deadline:
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            NO_PROXY.open(f"{api}/health", timeout=ANSWER_TIMEOUT_S),
        ):
            return True
        time.sleep(ANSWER_PAUSE_S)
    return False
