"""Deployments that version 0.1.0 registered stay on their server; their runs find this version."""

import json

import pytest

from tests.support.live import Live
from tests.support.places import ROOT

pytestmark = pytest.mark.long

# As the server of 0.1.0 had them, but for the folder that runs start in.
REGISTERED = json.loads((ROOT / "tests" / "data" / "deployments_0_1_0.json").read_text())
NAMES = {each["flow"]: f"{each['flow']}/{each['name']} of 0.1.0" for each in REGISTERED}


@pytest.fixture(scope="module")
def live(prefect_api, tmp_path_factory) -> Live:
    """A server with deployments of 0.1.0 beside those of this version, and a checkout of this."""
    made = Live(prefect_api, tmp_path_factory.mktemp("live"))
    made.register()
    (made.folder / "flows").symlink_to(ROOT / "flows")
    start = {"prefect.deployments.steps.set_working_directory": {"directory": str(made.folder)}}
    with made.client() as client:
        for each in REGISTERED:
            client.create_deployment(
                client.create_flow_from_name(each["flow"]),
                f"{each['name']} of 0.1.0",
                entrypoint=each["entrypoint"],
                parameters=each["parameters"],
                parameter_openapi_schema=each["parameter_openapi_schema"],
                enforce_parameter_schema=each["enforce_parameter_schema"],
                work_pool_name="cv-cpu",
                pull_steps=[start],
            )
    return made


def test_deployments_of_0_1_0_run_as_they_were_registered(live):
    def ended(flow, **parameters):
        shown = live.ended(live.run(NAMES[flow], **parameters))
        assert shown.state.is_completed(), shown.message + live.log("worker")
        return shown.message

    with live.worker():
        assert "10 of 10 folds" in ended("cross_validate")
        (report,) = (live.folder / "reports" / "runs").iterdir()
        assert ended("verify", run_dir=str(report), folds=1) == "identical"
        assert "10 of 10 folds" in ended("cross_validate", seed=3)
        models = ("tasks.models:mlp", "sklearn.linear_model:LogisticRegression")
        studies = [{"model": {"builder": each}} for each in models]
        assert all(each in ended("compare", studies=studies) for each in models)
