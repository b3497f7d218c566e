"""One run by every way and on every engine: the same RUN_ID, the same bytes, trained once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.schedules import IntervalSchedule

from foldproof.tasks.prefect_server.api_watch import answers
from tests.support.command import contents, cv, report_of
from tests.support.live import EAGER, Live, server_command
from tests.support.prefect_home import made_home
from tests.support.processes import free_port, wait_for

pytestmark = [pytest.mark.clusters, pytest.mark.xdist_group("same run")]
DEPLOYMENT = "cross_validate/cv-cpu"
STUDY: dict[str, Any] = {"split": {"n_splits": 3}, "train": {"epochs": 3}}
FLAGS = ("--split.n_splits", "3", "--train.epochs", "3")


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A server with its services, everything registered, and a worker."""
    port = free_port()
    made = Live(f"http://127.0.0.1:{port}/api", tmp_path_factory.mktemp("same"))
    made_home(made.folder / "home")
    with made.started("server", *server_command(port), **EAGER):
        wait_for(lambda: answers(made.url), lambda: made.log("server"))
        made.register()
        with made.worker():
            yield made


@pytest.fixture(scope="module")
def known(live) -> Path:
    """The report of the command line, with its own server, on this machine."""
    return report_of(cv(*FLAGS, "--out", str(live.folder / "known"), folder=live.folder))


def by_deployment(live: Live, out: Path) -> None:
    """Run as the UI's Run button does."""
    ended = live.ended(live.run(DEPLOYMENT, **STUDY, out=str(out)))
    assert ended.state.is_completed(), live.log("worker")[-6000:]


def by_schedule(live: Live, out: Path) -> None:
    """Give the deployment a schedule, and wait for what starts by itself."""
    anchor = datetime.now(UTC) + timedelta(seconds=20)
    soon: Any = IntervalSchedule(interval=timedelta(days=30), anchor_date=anchor)
    with live.client() as client:
        deployment = client.read_deployment_by_name(DEPLOYMENT)
        parameters = {**STUDY, "out": str(out)}
        client.create_deployment_schedules(
            deployment.id, [(soon, True)], parameters=parameters, slug="soon"
        )
    chosen = FlowRunFilter.model_validate({"deployment_id": {"any_": [deployment.id]}})

    def scheduled() -> list[Any]:
        with live.client() as client:
            runs = client.read_flow_runs(flow_run_filter=chosen)
        return [run for run in runs if run.auto_scheduled and run.state and run.state.is_final()]

    wait_for(scheduled, lambda: live.log("worker"))
    assert scheduled()[0].state.is_completed(), live.log("worker")[-6000:]


def by_command(live: Live, out: Path, *flags: str) -> None:
    """Run the command line with that server."""
    variables = {"PREFECT_API_URL": live.url}
    report_of(cv(*FLAGS, *flags, "--out", str(out), folder=live.folder, **variables))


def on_dask(live: Live, out: Path) -> None:
    """Run on a Dask cluster of the run's own."""
    by_command(live, out, "--compute.engine", "dask", "--compute.workers", "2")


def on_ray(live: Live, out: Path) -> None:
    """Run on a Ray of the run's own."""
    by_command(live, out, "--compute.engine", "ray", "--compute.workers", "2")


@pytest.mark.parametrize("way", [by_command, by_deployment, by_schedule, on_dask, on_ray])
def test_every_way_gives_the_bytes_of_the_command_line(live, known, way):
    out = live.folder / way.__name__
    way(live, out)
    (report,) = (out / "runs").iterdir()
    assert report.name == known.name
    assert contents(report) == contents(known)
    rows = pq.read_table(report / "execution.parquet").to_pylist()
    assert len(rows) == 3
    assert not any(row["cached"] for row in rows)


@pytest.mark.parametrize("way", [by_deployment, on_dask, on_ray])
def test_a_finished_run_is_found_by_every_way_and_nothing_trains_twice(live, known, way):
    out = known.parent.parent
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.parquet")}
    way(live, out)
    folds = {path: when for path, when in before.items() if path.parent.name == "folds"}
    assert len(folds) == 3
    assert {path: path.stat().st_mtime_ns for path in (out / "folds").iterdir()} == folds
    assert [path.name for path in (out / "runs").iterdir()] == [known.name]
