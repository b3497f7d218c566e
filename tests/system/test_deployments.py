"""Deployments: registered twice on a real server, and what else can be checked at once."""

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest
import yaml
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.utilities.templating import apply_values

from foldproof.deployments.definitions import PREFECT_FILE, definitions, work_pools
from foldproof.deployments.settings import RUN, SERVER, WORKER
from tests.support.command import run
from tests.support.live import NAMES, Live, facts
from tests.support.needs import need
from tests.support.places import ROOT

pytestmark = pytest.mark.long

COMPOSE = PREFECT_FILE.with_name("compose.yaml")
DOCKERFILE = PREFECT_FILE.with_name("Dockerfile")
TEMPLATE = PREFECT_FILE.parent / "kubernetes" / "job-template.json"


@pytest.fixture(scope="module")
def live(prefect_api, tmp_path_factory) -> Live:
    """A real server with everything registered."""
    made = Live(prefect_api, tmp_path_factory.mktemp("live"))
    made.register()
    return made


def test_registering_again_changes_nothing(live):
    def everything():
        with live.client() as client:
            pools = sorted((each.id, each.name) for each in client.read_work_pools())
            automations = sorted((each.id, each.name) for each in client.read_automations())
            ids = sorted((each.id, each.name) for each in client.read_deployments())
        return pools, automations, ids, facts(live)

    before = everything()
    live.register()
    assert everything() == before
    assert before[3].keys() == NAMES
    assert {name for _, name in before[0]} >= {"cv-cpu", "cv-gpu"}
    assert before[3]["nightly"]["schedules"] == [
        (
            "nightly",
            "0 3 * * *",
            "Europe/Berlin",
            False,  # nobody asked for runs of demo data at night
            {"compute": {"device": "cpu"}, "split": {"n_splits": 10, "n_repeats": 3}},
        )
    ]
    assert before[3]["nightly"]["collisions"] == "CANCEL_NEW"
    assert all(each["limit"] == 1 and each["description"] for each in before[3].values())


def test_the_kubernetes_template_makes_a_work_pool(live):
    template = json.loads(TEMPLATE.read_text())
    with live.client() as client:
        pool = WorkPoolCreate(name="cv-kubernetes", type="kubernetes", base_job_template=template)
        made = client.create_work_pool(pool)
        assert made.base_job_template == template
        client.delete_work_pool("cv-kubernetes")


def test_the_kubernetes_template_is_a_job_as_kubectl_knows_it(tmp_path):
    """Without a cluster: kubectl refuses wrong types, and drops fields that it does not know."""
    need(shutil.which("kubectl") is not None, "kubectl")
    job = example_job()
    path = tmp_path / "job.json"
    path.write_text(json.dumps(job))
    command = ["kubectl", "set", "env", "--local", "-f", str(path), "A=b", "-o", "json"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert missing(job, json.loads(ended.stdout)) == []


def example_job() -> dict[str, Any]:
    """Return the job that the template makes with its defaults."""
    template = json.loads(TEMPLATE.read_text())
    properties = template["variables"]["properties"]
    values = {name: each["default"] for name, each in properties.items() if "default" in each}
    job = apply_values(template["job_configuration"]["job_manifest"], values)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    container["env"] = [{"name": k, "value": v} for k, v in container["env"].items()]
    gpus = container["resources"]
    for kind in gpus.values():
        kind["nvidia.com/gpu"] = str(kind["nvidia.com/gpu"])
    return job


def missing(given: Any, kept: Any, place: str = "") -> list[str]:
    """Return the places of what is given and not kept."""
    if isinstance(given, dict):
        return [
            lost
            for name, value in given.items()
            for lost in (
                missing(value, kept[name], f"{place}.{name}")
                if name in kept
                else [f"{place}.{name}"]
            )
        ]
    if isinstance(given, list) and place.rpartition(".")[2] != "env":
        pairs = zip(given, kept, strict=True)
        return [lost for a, b in pairs for lost in missing(a, b, f"{place}[]")]
    return [] if given == kept or place.endswith(".env") else [place]


def test_kubernetes_and_compose_run_with_the_same_settings():
    template = json.loads(TEMPLATE.read_text())
    assert template["variables"]["properties"]["env"]["default"] == RUN
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name, settings in (("server", SERVER), ("services", SERVER), ("worker-cpu", WORKER)):
        assert services[name]["environment"].items() >= settings.items()


def test_compose_is_accepted_by_its_own_tool():
    need(shutil.which("docker-compose") is not None, "docker-compose")
    command = ["docker-compose", "-f", str(COMPOSE), "--profile", "gpu", "config"]
    secrets = {"POSTGRES_PASSWORD": "a", "FOLDPROOF_AUTH": "b:c"}
    ended = subprocess.run(command, env=os.environ | secrets, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    services = yaml.safe_load(ended.stdout)["services"]
    assert services["server"]["environment"]["PREFECT_SERVER_API_AUTH_STRING"] == "b:c"
    without = subprocess.run(command, capture_output=True, text=True)
    assert without.returncode != 0  # no password, no server
    assert "set it" in without.stderr


def test_definitions_name_flows_and_pools():
    assert {each.name for each in definitions()} == NAMES
    assert work_pools() == ("cv-cpu", "cv-gpu")


def test_the_image_is_pinned_runs_as_nobody_and_copies_what_exists():
    lines = [line.split() for line in DOCKERFILE.read_text().splitlines() if line.strip()]
    copies = [line for line in lines if line[0] == "COPY" and not line[1].startswith("--")]
    sources = [source for line in copies for source in line[1:-1]]
    assert sources
    assert all((ROOT / source).exists() for source in sources)
    ignored = (ROOT / ".dockerignore").read_text()
    assert all(f"!{source}\n" in ignored for source in sources)
    assert ["ARG", "PYTHON=3.11.14-slim-bookworm"] in lines
    users = [line[1] for line in lines if line[0] == "USER"]
    assert users == ["10001:10001"]


@pytest.mark.parametrize(
    ("url", "line"),
    [
        (
            "",
            "PREFECT_API_URL: is not set; export PREFECT_API_URL=http://127.0.0.1:4200/api, or "
            "where your server is\n",
        ),
        (
            "http://127.0.0.1:1/api",
            "PREFECT_API_URL: http://127.0.0.1:1/api does not answer; start that server, or unset "
            "it to run without one\n",
        ),
    ],
)
def test_without_a_server_nothing_is_registered_and_one_line_says_so(tmp_path, url, line):
    home = {"PREFECT_HOME": str(tmp_path / "home"), "PREFECT_API_URL": url}
    ended = run([sys.executable, str(ROOT / "deployments" / "register.py")], tmp_path, **home)
    assert (ended.code, ended.out, ended.err) == (2, "", line)
