"""A team's set-up without containers: PostgreSQL, a password, a server, two workers, real runs."""

import json
import signal
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from prefect.client.schemas.filters import FlowRunFilter
from prefect.states import Scheduled

from foldproof.deployments.automations import ADDRESS, LOST, SILENCE
from foldproof.deployments.settings import SERVER
from tests.support.live import (
    PROMPT_S,
    Live,
    facts,
    gated,
    server_command,
    stored,
)
from tests.support.needs import need
from tests.support.places import ROOT
from tests.support.postgres import FOLDERS, PASSWORD, Postgres
from tests.support.processes import (
    children,
    end,
    free_port,
    kill,
    lives,
    seconds_until_gone,
    wait_for,
)

pytestmark = pytest.mark.server
SECRET = "someone:api-secret-9c3e"
SMALL = {
    "data": {"source": "iris"},
    "model": {"builder": "sklearn.linear_model:LogisticRegression"},
    "split": {"n_splits": 3},
}


class Team:
    """A server on PostgreSQL, and two workers of the processor's pool."""

    def __init__(self, folder) -> None:
        self.postgres, self.port = Postgres(), free_port()
        self.live = Live(f"http://127.0.0.1:{self.port}/api", folder, secret=SECRET)
        self.told = Listener()
        self.live.variables[ADDRESS] = self.told.url
        self.server = self.start_server()
        self.live.register()
        self.workers = {name: self.start_worker(name) for name in ("one", "two")}

    def start_server(self):
        variables = {
            **SERVER,
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": self.postgres.url,
            "PREFECT_SERVER_API_AUTH_STRING": SECRET,
        }
        server = self.live.start("server", *server_command(self.port), **variables)
        wait_for(self.answers, lambda: self.live.log("server"))
        return server

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.live.url}/health", auth=auth()).status_code == 200
        except httpx.HTTPError:
            return False

    def start_worker(self, name):
        command = (sys.executable, "-m", "prefect", "worker", "start", "--pool", "cv-cpu")
        return self.live.start(name, *command, "--name", name, "--limit", "1")

    def logs(self) -> str:
        return "".join(self.live.log(name) for name in ("server", "one", "two"))

    def close(self) -> None:
        for process in (*self.workers.values(), self.server):
            end(process)
        self.postgres.remove()
        self.told.shutdown()
        self.told.server_close()


class Listener(ThreadingHTTPServer):
    """A webhook that keeps what it is told."""

    def __init__(self) -> None:
        heard: list[str] = []

        class Keep(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                heard.append(self.rfile.read(length).decode())
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_) -> None:
                return

        super().__init__(("127.0.0.1", 0), Keep)
        self.heard = heard
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


def auth() -> tuple[str, str]:
    user, _, password = SECRET.partition(":")
    return user, password


@pytest.fixture(scope="module")
def team(tmp_path_factory) -> Iterator[Team]:
    """The whole set-up."""
    need(bool(FOLDERS), "postgresql")
    made = Team(tmp_path_factory.mktemp("team"))
    yield made
    made.close()


def begun(team: Team, name: str, deployment="cross_validate/cv-cpu", free=1):
    """Start a run of which one fold is stored and the others wait; return it and its folder."""
    folder = team.live.folder / name
    folder.mkdir()
    run = team.live.run(deployment, **gated(folder, free=free))
    wait_for(
        lambda: (folder / "gate" / "waits").exists() and len(stored(folder)) == free, team.logs
    )
    return run, folder


def let_go(folder) -> None:
    (folder / "gate" / "open").touch()


def test_without_the_password_nothing_is_read_and_nothing_starts(team):
    with team.live.client() as client:
        deployment = client.read_deployment_by_name("cross_validate/cv-cpu")
    requests: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "/admin/version", None),
        ("GET", f"/deployments/{deployment.id}", None),
        ("POST", "/flow_runs/filter", {}),
        ("POST", "/artifacts/filter", {}),
        ("POST", "/logs/filter", {}),
        ("POST", f"/deployments/{deployment.id}/create_flow_run", {}),
    ]
    for method, path, body in requests:
        for wrong in (None, ("someone", "wrong")):
            answer = httpx.request(method, team.live.url + path, json=body, auth=wrong)
            assert answer.status_code == 401, path
            assert "iris" not in answer.text
        assert httpx.request(method, team.live.url + path, json=body, auth=auth()).is_success
    with team.live.client() as client:  # what the right password has just started
        for run in client.read_flow_runs():
            client.delete_flow_run(run.id)


def test_two_workers_share_the_runs_and_a_paused_schedule_can_be_run_now(team):
    live = team.live
    with live.client() as client:
        nightly = client.read_deployment_by_name("cross_validate/nightly")
        coming = FlowRunFilter(
            state={"type": {"any_": ["SCHEDULED"]}}, deployment_id={"any_": [nightly.id]}
        )
        (schedule,) = nightly.schedules
        assert not schedule.active  # it waits for somebody to switch it on
        client.update_deployment_schedule(nightly.id, schedule.id, active=True)
        wait_for(lambda: client.read_flow_runs(flow_run_filter=coming), team.logs)
        client.pause_deployment(nightly.id)
        wait_for(lambda: not client.read_flow_runs(flow_run_filter=coming), team.logs)
        client.resume_deployment(nightly.id)
        wait_for(lambda: client.read_flow_runs(flow_run_filter=coming), team.logs)
    first, folder = begun(team, "shared")
    now = live.run("cross_validate/nightly", **SMALL, out=str(live.folder / "nightly"))
    ended = live.ended(now, "two")
    assert ended.state.is_completed(), team.logs()[-6000:]
    let_go(folder)
    assert live.ended(first, "one").state.is_completed()
    took = [name for name in ("one", "two") if "submitting flow run" in live.log(name)]
    assert took == ["one", "two"]
    live.register()  # for the tests that come after


def test_a_verification_that_cannot_be_done_fails_and_is_told(team):
    nowhere = str(team.live.folder / "nowhere")
    run = team.live.run("verify/verify", run_dir=nowhere)
    ended = team.live.ended(run, "one")
    assert ended.state.is_failed()
    assert ended.message.startswith(f"RUN_DIR: {nowhere!r} holds no manifest.json")
    wait_for(lambda: team.told.heard, team.logs)
    assert json.loads(team.told.heard[0]) == {"text": f"verify/{ended.name}: Failed"}


def assert_cancelled_soon(team: Team, starters, deployment: str, name: str) -> None:
    before = {each for starter in starters for each in children(starter.pid)}
    run, folder = begun(team, name, deployment)
    processes = [p for starter in starters for p in children(starter.pid) if p not in before]
    assert len(processes) >= 4  # the run, its worker host and its workers
    team.live.cancel(run)
    assert seconds_until_gone(processes) < PROMPT_S
    ended = team.live.ended(run, "one")
    assert (ended.state.type, ended.state.name) == ("CANCELLED", "Cancelled")
    assert len(stored(folder)) == 1


def test_cancelling_ends_the_training_of_a_worker_in_seconds(team):
    starters = list(team.workers.values())
    assert_cancelled_soon(team, starters, "cross_validate/cv-cpu", "cancelled")


def test_folds_go_on_while_the_server_is_started_again(team):
    run, folder = begun(team, "server-restart")
    kill(team.server)
    let_go(folder)
    wait_for(lambda: len(stored(folder)) == 3, team.logs)
    team.server = team.start_server()
    assert team.live.ended(run, "one").state.is_completed(), team.logs()[-6000:]


def test_folds_go_on_while_the_database_is_started_again(team):
    run, folder = begun(team, "database-restart")
    team.postgres.stop()
    let_go(folder)
    wait_for(lambda: len(stored(folder)) == 3, team.logs)
    team.postgres.start()
    assert team.live.ended(run, "one").state.is_completed(), team.logs()[-6000:]


@pytest.mark.timeout(1200)
def test_a_run_whose_process_died_shows_as_crashed_and_retry_reuses_its_folds(team):
    run, folder = begun(team, "lost")
    (name,) = [name for name, worker in team.workers.items() if children(worker.pid)]
    worker = team.workers[name]
    family = children(worker.pid)
    worker.kill()  # the machine is gone: nobody is left to tell the server
    worker.wait(60)
    for each in filter(lives, family):
        each.kill()
    assert team.live.state(run).state.is_running()
    patience = SILENCE + 180
    wait_for(lambda: team.live.state(run).state.is_crashed(), team.logs, patience)
    assert "No sign of life" in team.live.state(run).message
    let_go(folder)
    team.workers[name] = team.start_worker(name)
    before = {
        path: path.stat().st_mtime_ns for path in (folder / "reports" / "folds").glob("*.parquet")
    }
    with team.live.client() as client:  # the Retry button
        client.set_flow_run_state(run, Scheduled(name="AwaitingRetry"), force=True)
    wait_for(lambda: team.live.state(run).state.is_completed(), team.logs)
    assert len(stored(folder)) == 3
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())


def test_runs_that_are_over_stay_what_they_are(team):
    with team.live.client() as client:
        (automation,) = client.read_automations_by_name(LOST)
        assert automation.enabled
        assert automation.trigger.within == timedelta(seconds=SILENCE)
        for run in client.read_flow_runs():
            if run.state.is_crashed():
                assert "No sign of life" not in run.state.message


def test_serve_offers_the_same_and_cancelling_ends_its_training(team):
    for worker in team.workers.values():
        end(worker)
    live = team.live
    registered = facts(live)
    with live.started("one", sys.executable, str(ROOT / "deployments" / "serve.py")) as process:
        wait_for(lambda: "being served" in live.log("one"), lambda: live.log("one"))
        assert facts(live) == registered
        assert_cancelled_soon(team, [process], "cross_validate/cv-cpu", "served")
        processes = children(process.pid)
        process.send_signal(signal.SIGINT)
        process.wait(60)
        seconds_until_gone(processes)
    assert facts(live)["nightly"]["paused"]  # nobody is there to run what it would start


def test_no_secret_is_in_any_log_table_or_report(team):
    dump = team.postgres.dump()
    assert "iris" in dump  # it is the whole database
    secrets = (PASSWORD, SECRET, SECRET.partition(":")[2])
    for secret in secrets:
        assert secret not in dump
    for path in team.live.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(secret.encode() in content for secret in secrets), path
