"""A Prefect server that is gone or silent costs a run nothing but what it would have shown."""

import socket
import threading
from functools import partial

import pytest
from prefect.client.schemas.actions import ArtifactCreate
from prefect.settings import PREFECT_API_URL, temporary_settings

from foldproof.tasks.prefect_ui.api_calls import ApiCallQueue, ProgressArtifact


@pytest.fixture
def nowhere():
    """The address of an API that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{probe.getsockname()[1]}/api"


@pytest.fixture
def silent():
    """The address of an API that takes calls and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/api"


def made(client):
    client.create_artifact(ArtifactCreate(type="markdown", data="text"))


def test_calls_to_a_server_that_is_gone_are_counted_and_raise_nothing(nowhere):
    with temporary_settings({PREFECT_API_URL: nowhere}):
        calls = ApiCallQueue(lambda: None, 0.05)
        for _ in range(3):
            calls.enqueue(made)
        calls.end(60)
    assert calls.missed == 3
    assert "Connect" in calls.reason


def test_a_silent_server_is_not_waited_for(silent):
    with temporary_settings({PREFECT_API_URL: silent}):
        calls = ApiCallQueue(lambda: None, 0.05)
        calls.enqueue(made)
        calls.enqueue(made)
        calls.end(0.2)
    assert calls.missed >= 1
    assert calls.reason == "no answer in 0.2 seconds"


def test_what_goes_wrong_between_calls_does_not_end_the_thread(nowhere):
    rounds = threading.Semaphore(0)

    def between():
        rounds.release()
        raise RuntimeError("odd")

    with temporary_settings({PREFECT_API_URL: nowhere}):
        calls = ApiCallQueue(between, 0.01)
        for _ in range(3):
            assert rounds.acquire(timeout=60)
        calls.end(60)
    assert calls.missed == 0


def show(progress, share, _):
    progress.show(share, f"{share}")


def test_progress_is_made_once_and_then_kept_up_to_date(prefect_api):
    from prefect import flow
    from prefect.client.orchestration import get_client
    from prefect.runtime import flow_run

    @flow
    def shown():
        calls = ApiCallQueue(lambda: None, 0.05)
        progress = ProgressArtifact(calls, flow_run.id, None, "some-progress")
        for share in (0.25, 0.25, 0.5):
            calls.enqueue(partial(show, progress, share))
        calls.end(60)
        return calls.missed

    with temporary_settings({PREFECT_API_URL: prefect_api}), get_client(sync_client=True) as client:
        assert shown() == 0
        chosen = {"artifacts": {"key": {"any_": ["some-progress"]}}}
        (artifact,) = client.request("POST", "/artifacts/filter", json=chosen).json()
    assert artifact["data"] == 50.0
    assert artifact["description"] == "0.5"
