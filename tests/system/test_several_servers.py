"""Two servers and their services on one PostgreSQL and one Redis, as compose.yaml has them."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prefect.client.schemas.filters import FlowRunFilter, TaskRunFilter

from foldproof.deployments.definitions import PREFECT_FILE
from foldproof.tasks.prefect_server.api_watch import answers
from tests.support.live import Live
from tests.support.needs import need
from tests.support.postgres import FOLDERS, Postgres
from tests.support.processes import end, free_port, wait_for

pytestmark = pytest.mark.server
SERVICES = yaml.safe_load(PREFECT_FILE.with_name("compose.yaml").read_text())["services"]
REDIS = shutil.which("redis-server") or ""
SECRET = "someone:api-secret-51b0"
SMALL = {
    "data": {"source": "iris"},
    "model": {"builder": "sklearn.linear_model:LogisticRegression"},
    "split": {"n_splits": 3},
}
TASKS = 3 + 4  # folds and steps


class Several:
    """What compose.yaml brings up, as processes of this machine."""

    def __init__(self, folder: Path) -> None:
        self.postgres, self.redis_port = Postgres(), free_port()
        self.ports = [free_port(), free_port()]
        self.lives = [
            Live(f"http://127.0.0.1:{port}/api", folder, secret=SECRET) for port in self.ports
        ]
        first = self.lives[0]
        self.data = tempfile.mkdtemp(prefix="foldproof-redis-")
        options = ("--port", str(self.redis_port), "--bind", "127.0.0.1", "--dir", self.data)
        self.processes = [first.start("redis", REDIS, *options, "--appendonly", "yes")]
        subprocess.run(self.command("migrate"), env=self.environment("migrate"), check=True)
        # One after the other: each writes Prefect's block types into an empty database, and of
        # two at a time one ends and has to be started again.
        for live, port, name in zip(self.lives, self.ports, ("one", "two"), strict=True):
            command = [*self.command("server"), "--port", str(port)]
            self.processes.append(first.start(name, *command, **self.environment("server")))
            wait_for(partial(answers, live.url), partial(first.log, name), 120)
        command = self.command("services")
        self.processes.append(first.start("services", *command, **self.environment("services")))

    def command(self, service: str) -> list[str]:
        """Return a service's command, on this machine's loopback."""
        given = [part.replace("0.0.0.0", "127.0.0.1") for part in SERVICES[service]["command"]]
        return [sys.executable, *given[1:]]

    def environment(self, service: str) -> dict[str, str]:
        """Return a service's variables, with the places and passwords of this set-up."""
        places = {
            "PREFECT_SERVER_API_AUTH_STRING": SECRET,
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": self.postgres.url,
            "PREFECT_SERVER_DOCKET_URL": f"redis://127.0.0.1:{self.redis_port}/1",
            "PREFECT_REDIS_MESSAGING_HOST": "127.0.0.1",
        }
        given: dict[str, str] = SERVICES[service]["environment"]
        assert places.keys() <= given.keys()
        port = {"PREFECT_REDIS_MESSAGING_PORT": str(self.redis_port)}
        return {**self.lives[0].environment, **given, **places, **port}

    def logs(self) -> str:
        """Return what all of them have said."""
        names = ("redis", "one", "two", "services", "worker")
        return "\n".join(self.lives[0].log(name)[-3000:] for name in names)

    def close(self) -> None:
        """End all of it."""
        for process in reversed(self.processes):
            end(process)
        self.postgres.remove()
        shutil.rmtree(self.data)


@pytest.fixture(scope="module")
def several(tmp_path_factory) -> Iterator[Several]:
    """The whole set-up, with a worker that talks to the second server."""
    need(bool(FOLDERS), "postgresql")
    need(bool(REDIS), "redis-server")
    made = Several(tmp_path_factory.mktemp("several"))
    try:
        made.lives[0].register()
        with made.lives[1].worker():
            yield made
    finally:
        made.close()


def all_tasks_completed(live: Live, run: Any) -> bool:
    """Tell whether the server has all task runs of a run as completed."""
    chosen = FlowRunFilter.model_validate({"id": {"any_": [run]}})
    done = TaskRunFilter.model_validate({"state": {"type": {"any_": ["COMPLETED"]}}})
    with live.client() as client:
        return len(client.read_task_runs(flow_run_filter=chosen, task_run_filter=done)) == TASKS


def test_a_run_that_one_server_takes_is_known_to_the_other(several):
    one, two = several.lives
    run = one.run("cross_validate/cv-cpu", **SMALL, out=str(one.folder / "shared"))
    wait_for(lambda: two.state(run).state.is_final(), several.logs)
    for live in (one, two):
        assert live.state(run).state.is_completed(), several.logs()
        wait_for(partial(all_tasks_completed, live, run), several.logs)


def test_a_server_that_dies_leaves_the_other_at_work(several):
    one, two = several.lives
    several.processes[1].kill()
    several.processes[1].wait(60)
    run = two.run("cross_validate/cv-cpu", **SMALL, out=str(one.folder / "alone"))
    wait_for(lambda: two.state(run).state.is_final(), several.logs)
    assert two.state(run).state.is_completed(), several.logs()
    wait_for(partial(all_tasks_completed, two, run), several.logs)


def test_both_ask_for_the_password(several):
    url = several.lives[1].url
    assert httpx.post(f"{url}/flow_runs/filter", json={}).status_code == 401
