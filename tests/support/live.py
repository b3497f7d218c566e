"""Real servers, workers and runs, for tests of what is deployed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State
from prefect.client.schemas.responses import DeploymentResponse
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling

from foldproof.deployments.local import prefect
from foldproof.deployments.settings import WORKER
from tests.support.places import ROOT
from tests.support.processes import PATIENCE_S, end, open_process, wait_for

NAMES = {"cv-cpu", "cv-gpu", "nightly", "compare", "verify"}  # of deployments
FACTS = ("name", "tags", "description", "parameters", "enforce_parameter_schema", "paused")
EAGER = {"PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "5"}  # not a minute, to a new schedule
PROMPT_S = 10.0  # in which a cancelled run's training is promised to end


@dataclass(frozen=True)
class Shown:
    """What the server shows of a run."""

    name: str
    state: State[Any]
    parameters: dict[str, Any]

    @property
    def message(self) -> str:
        """The line that its state carries."""
        return self.state.message or ""


@dataclass
class Live:
    """A Prefect API, and the processes that a test starts around it.

    Attributes:
        url: the API.
        folder: where processes log and where runs may write.
        variables: further environment variables of the processes.
        secret: user and password of the API, if it asks for them.
    """

    url: str
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    secret: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """The environment of workers and commands."""
        mine = {
            "PREFECT_API_URL": self.url,
            "PREFECT_HOME": str(self.folder / "home"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.getenv("PYTHONPATH")])]),
            "FOLDPROOF_ALLOWED_BUILDERS": "tests.support.gate,tasks.models,sklearn",
            "FOLDPROOF_ALLOWED_PATHS": str(self.folder),
        }
        secret = {"PREFECT_API_AUTH_STRING": self.secret} if self.secret else {}
        return {**os.environ, **WORKER, **mine, **secret, **self.variables}

    @contextmanager
    def started(
        self, name: str, *command: str, **variables: str
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run a process that logs to NAME.log; kill it and all that it started afterwards."""
        process = self.start(name, *command, **variables)
        try:
            yield process
        finally:
            end(process)

    def start(self, name: str, *command: str, **variables: str) -> subprocess.Popen[bytes]:
        """Start a process that logs to NAME.log."""
        log = self.folder / f"{name}.log"
        return open_process(command, ROOT, {**self.environment, **variables}, log, log)

    def log(self, name: str) -> str:
        """Return what a process has said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def worker(
        self, pool: str = "cv-cpu", name: str = "worker"
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Run a worker of a pool."""
        return self.started(name, *prefect("worker", "start", "--pool", pool, "--name", name))

    def register(self) -> None:
        """Make pools, deployments and automations."""
        command = [sys.executable, str(ROOT / "deployments" / "register.py")]
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr

    @contextmanager
    def client(self) -> Iterator[SyncPrefectClient]:
        """A client of the API."""
        updates: dict[Any, Any] = {PREFECT_API_URL: self.url}
        if self.secret:
            updates[PREFECT_API_AUTH_STRING] = self.secret
        with temporary_settings(updates), get_client(sync_client=True) as client:
            yield client

    def run(self, deployment: str, **parameters: Any) -> Any:
        """Start a run as the UI does, and return its id."""
        with self.client() as client:
            found = client.read_deployment_by_name(deployment)
            return client.create_flow_run_from_deployment(found.id, parameters=parameters).id

    def state(self, run: Any) -> Shown:
        """Return a run as the server has it."""
        with self.client() as client:
            found = client.read_flow_run(run)
        assert found.state is not None
        return Shown(found.name, found.state, found.parameters)

    def ended(self, run: Any, logs: str = "worker") -> Shown:
        """Wait until a run is over."""
        wait_for(lambda: self.state(run).state.is_final(), lambda: self.log(logs))
        return self.state(run)

    def cancel(self, run: Any) -> None:
        """Cancel a run as the UI does."""
        with self.client() as client:
            client.set_flow_run_state(run, Cancelling())


def gated(folder: Path, free: int, **sections: Any) -> dict[str, Any]:
    """Return the settings of a run of three folds, of which `free` do not wait at the gate."""
    gate = folder / "gate"
    gate.mkdir(exist_ok=True)
    return {
        "data": {"source": "iris"},
        "model": {
            "builder": "tests.support.gate:Gated",
            "params": {"gate": str(gate), "free": free},
        },
        "split": {"n_splits": 3},
        "out": str(folder / "reports"),
        **sections,
    }


def stored(folder: Path) -> set[str]:
    """Return the folds that are stored."""
    return {path.name for path in (folder / "reports" / "folds").glob("*.parquet")}


def facts(live: Live) -> dict[str, dict[str, Any]]:
    """Return what the server knows of each deployment, apart from where its code comes from."""
    with live.client() as client:
        found = [each for each in client.read_deployments() if each.name in NAMES]
    assert len(found) == len({each.name for each in found})
    return {each.name: _facts_of(each) for each in found}


def _facts_of(deployment: DeploymentResponse) -> dict[str, Any]:
    limit, options = deployment.global_concurrency_limit, deployment.concurrency_options
    assert limit is not None
    assert options is not None
    planned: list[tuple[Any, Any]] = [(each, each.schedule) for each in deployment.schedules]
    return {
        **{name: getattr(deployment, name) for name in FACTS},
        "limit": limit.limit,
        "collisions": options.collision_strategy,
        "schedules": [
            (each.slug, when.cron, when.timezone, each.active, each.parameters)
            for each, when in planned
        ],
        "form": deployment.parameter_openapi_schema,
    }


def server_command(port: int) -> list[str]:
    """Return the command of a server."""
    return prefect("server", "start", "--host", "127.0.0.1", "--port", str(port))
