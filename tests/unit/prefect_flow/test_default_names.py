"""A run's name: the one that somebody gave it, else one that can be read."""

from typing import Any

import pytest
from prefect import flow, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.utilities.names import generate_slug

from foldproof.tasks.prefect_flow.default_names import is_generated_name
from foldproof.tasks.prefect_flow.lifecycle import flush_to_api
from foldproof.tasks.prefect_flow.names import flow_run_name

READABLE = "LogisticRegression on iris, 3 folds"
SETTINGS: dict[str, Any] = {
    "data": {"source": "iris"},
    "model": {"builder": "sklearn.linear_model:LogisticRegression"},
    "split": {"n_splits": 3},
}


@flow(flow_run_name=flow_run_name)
def study(data: dict[str, Any], model: dict[str, Any], split: dict[str, Any]):
    """Have the parameters of a cross-validation and do nothing."""


@pytest.fixture
def client(prefect_api):
    with temporary_settings({PREFECT_API_URL: prefect_api}), get_client(sync_client=True) as made:
        yield made
        flush_to_api()


def name_of(client, run):
    """Run a flow run that is there and return its name."""
    run_flow(study, flow_run=run, parameters=SETTINGS)
    return client.read_flow_run(run.id).name


def deployed(client):
    found = client.create_flow(study)
    return client.create_deployment(found, "test", parameters=SETTINGS)


@pytest.mark.parametrize(
    "given",
    [
        "nightly-42",
        "study-a",
        "paper-revision-2",
        "alpha-2",
        "baseline",
        "Final-Run",
        "xi2-alnasl",
        "the second try",
        "orchid-boar-2",
    ],
)
def test_a_given_name_stays(client, given):
    run = client.create_flow_run_from_deployment(deployed(client), name=given)
    assert name_of(client, run) == given
    run = client.create_flow_run(study, parameters=SETTINGS, name=given)
    assert name_of(client, run) == given


def test_a_run_without_a_name_gets_one_that_can_be_read(client):
    assert name_of(client, client.create_flow_run_from_deployment(deployed(client))) == READABLE
    ended: Any = study(**SETTINGS, return_state=True)
    assert client.read_flow_run(ended.state_details.flow_run_id).name == READABLE


def test_a_run_of_the_pages_button_gets_one_that_can_be_read(client):
    state = {"type": "SCHEDULED", "message": "Run from the Prefect UI with defaults"}
    path = f"/deployments/{deployed(client)}/create_flow_run"
    made = client.request("POST", path, json={"state": state}).json()
    assert name_of(client, client.read_flow_run(made["id"])) == READABLE
    made = client.request("POST", path, json={"state": state, "name": ""}).json()
    assert name_of(client, client.read_flow_run(made["id"])) == READABLE


def test_a_run_of_a_schedule_gets_one_that_can_be_read(client):
    run = client.create_flow_run_from_deployment(deployed(client), name="odd name")
    scheduled = run.model_copy(update={"auto_scheduled": True})
    assert is_generated_name(scheduled)
    assert not is_generated_name(run)


def test_all_that_prefect_draws_is_known(client):
    run = client.create_flow_run_from_deployment(deployed(client), name="odd name")
    for _ in range(2000):
        assert is_generated_name(run.model_copy(update={"name": generate_slug(2)}))


def test_a_run_inside_of_another_gets_one_that_can_be_read(client):
    @flow
    def outer():
        study(**SETTINGS)
        ended: Any = study(**SETTINGS, return_state=True)
        return ended.state_details.flow_run_id

    chosen = FlowRunFilter(id=FlowRunFilterId(any_=[outer()]))
    assert [run.name for run in client.read_flow_runs(flow_run_filter=chosen)] == [READABLE]
