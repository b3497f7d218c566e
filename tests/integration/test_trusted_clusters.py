"""A cluster's address leads to who may run code here: a form joins listed ones only."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.comparison.prefect_flow import SHARED, comparing
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.prefect_flow.steps import NAMES, running
from foldproof.tasks.run import allowlist as trust
from foldproof.tasks.run.deployment_internals import FLOW_RUN_ID
from tests.support.command import run
from tests.support.places import ROOT

CLUSTERS = "FOLDPROOF_ALLOWED_CLUSTERS"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (CLUSTERS, FLOW_RUN_ID):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port that counts who comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def address_of(listener: socket.socket) -> str:
    return f"127.0.0.1:{listener.getsockname()[1]}"


def nobody_came(listener: socket.socket) -> bool:
    try:
        listener.accept()
    except TimeoutError:
        return True
    return False


def form(engine: str, address: str) -> dict[str, Any]:
    return {"compute": {"engine": engine, "address": address}}


@pytest.mark.parametrize("engine", ["dask", "ray"])
@pytest.mark.usefixtures("here")
def test_a_form_joins_no_cluster(listener: socket.socket, engine: str) -> None:
    address = address_of(listener)
    study = parse_study(form(engine, address))
    given = [getattr(study, name) for name in NAMES if name != "more"]
    shared = [getattr(Study(), name, {}) for name in SHARED]
    said = (
        f"compute.address: '{address}' is not allowed here; leave it empty; the operator can list "
        f"it in {CLUSTERS}"
    )
    with pytest.raises(InputError) as caught, running(*given, {}):
        pass
    assert str(caught.value) == said
    with pytest.raises(InputError) as caught, comparing([{}, form(engine, address)], [], *shared):
        pass
    assert str(caught.value) == said
    assert nobody_came(listener)


@pytest.mark.usefixtures("here")
def test_a_command_line_joins_what_it_names(listener: socket.socket) -> None:
    trust.check_trust(parse_study(form("dask", address_of(listener))))
    assert nobody_came(listener)  # that is for later


ADDRESSES = [
    ("10.0.0.1:8786", "10.0.0.1:8786", True),
    ("ray.local:6379, Host:8786", "host:8786", True),
    ("host:8786", "tcp://host:8786", True),
    ("tcp://host:8786", "host:8786/", True),
    ("host:8786", "tls://host:8786", False),
    ("host:8786", "host:87860", False),
    ("host:8786", "host:8786@evil:1", False),
    ("host:8786", "evil:1", False),
    ("host", "host:8786", False),
    ("", "host:8786", False),
]


@pytest.mark.parametrize("deployed", [False, True])
@pytest.mark.parametrize(("allowed", "address", "expected"), ADDRESSES)
@pytest.mark.usefixtures("here")
def test_listed_addresses_count_for_everybody(
    monkeypatch: pytest.MonkeyPatch, allowed: str, address: str, expected: bool, deployed: bool
) -> None:
    monkeypatch.setenv(CLUSTERS, allowed)
    study = parse_study(form("dask", address))
    if expected:
        trust.check_trust(study, deployed)
    else:
        with pytest.raises(InputError, match=CLUSTERS):
            trust.check_trust(study, deployed)


VARIABLES = ["PREFECT__FLOW_RUN_ID", "PREFECT__DEPLOYMENT_NAME", "PREFECT__RUN_ID"]


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.usefixtures("here")
def test_a_child_of_prefect_is_a_deployment(monkeypatch: Any, variable: str) -> None:
    monkeypatch.setenv("PREFECT__SERVER_EPHEMERAL", "1")  # a server's own; it starts no flows
    trust.check_place("x", "/etc")
    monkeypatch.setenv(variable, "0")
    with pytest.raises(InputError, match="not in an allowed folder"):
        trust.check_place("x", "/etc")


@pytest.mark.parametrize("deployment", [None, uuid4()])
@pytest.mark.usefixtures("here")
def test_a_run_of_a_deployment_is_one_by_whatever_variable(deployment: Any) -> None:
    made = FlowRun(flow_id=uuid4(), deployment_id=deployment)
    context: Any = FlowRunContext  # of which only this is looked at
    with context.model_construct(flow_run=made):
        if deployment is None:  # a flow of the user's own, in the user's own process
            trust.check_place("x", "/etc")
        else:
            with pytest.raises(InputError, match="not in an allowed folder"):
                trust.check_place("x", "/etc")


def test_prefect_is_not_imported_to_find_out() -> None:
    code = (
        "import sys; from foldproof.tasks.run.deployment_internals import is_deployed; "
        "print(is_deployed(), *sys.modules)"
    )
    ended = run([sys.executable, "-c", code], ROOT)
    assert ended.out.startswith("False ")
    assert "prefect" not in ended.out.split()


FLOW = """
import os
from prefect import flow
from foldproof.flows.cv import cross_validate

os.environ.pop("PREFECT__FLOW_RUN_ID", None)


@flow
def inner(builder):
    cross_validate(model=builder)


@flow
def outer(builder):
    inner(builder)
"""
DEPLOYED_RUN = """
import asyncio, runpy, sys
from pathlib import Path
from prefect.client.orchestration import get_client
from deployed import outer

async def main():
    async with get_client() as client:
        flow = await client.create_flow(outer)
        deployment = await client.create_deployment(
            flow, "here", path=str(Path.cwd()), entrypoint="deployed.py:outer"
        )
        given = {"builder": "evil:build"}
        return (await client.create_flow_run_from_deployment(deployment, parameters=given)).id

sys.argv = ["engine", str(asyncio.run(main()))]
runpy.run_module("prefect.engine", run_name="__main__")
"""


@pytest.mark.long
def test_a_flow_within_a_deployed_one_is_closed_without_the_variable(
    here: Path, prefect_api: str
) -> None:
    (here / "deployed.py").write_text(FLOW)
    (here / "evil.py").write_text("open('imported', 'w').close()\ndef build(): ...\n")
    api = {"PREFECT_API_URL": prefect_api, "PYTHONPATH": os.pathsep.join((str(ROOT), "."))}
    ended = run([sys.executable, "-c", DEPLOYED_RUN], here, **api)
    assert "model.builder: module 'evil' is not allowed here" in ended.err
    assert not (here / "imported").exists()
