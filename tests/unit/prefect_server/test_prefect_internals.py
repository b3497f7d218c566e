"""What is used of Prefect beyond its documented API is still there, and can be missed."""

import inspect
import logging
import subprocess
import sys
import threading
from typing import Any

import pytest
from prefect import Flow, context, flow, task
from prefect.events.worker import EventsWorker
from prefect.logging import handlers
from prefect.logging.handlers import APILogWorker
from prefect.settings import get_current_settings, temporary_settings
from prefect.states import Completed, Failed
from prefect.utilities import callables, engine

from foldproof.tasks.common.places import ROOT
from foldproof.tasks.prefect_server import prefect_internals as internals
from foldproof.tasks.run import deployment_internals as of_processes
from tests.support.contracts import demand, missing


def expect(gone: list[str]) -> None:
    demand("prefect", internals.READ_FROM, gone, internals.__name__)


def parameters(function: Any, *names: str) -> list[str]:
    known = inspect.signature(function).parameters
    return [f"{function.__qualname__}({name}=)" for name in names if name not in known]


def test_the_terminals_handlers_have_their_names():
    expect(missing(handlers, *internals.LOG_HANDLERS))


@pytest.mark.parametrize("service", [EventsWorker, APILogWorker])
def test_what_is_not_sent_yet_lies_in_queues(service):
    expect(missing(service, "_instances", "drain_all"))
    expect(parameters(service.drain_all, "timeout"))
    queued: Any = inspect.getmro(service)[1].__mro__[1]
    assert "_queue" in inspect.getsource(queued.__init__)


def test_functions_of_the_engine_have_their_names():
    expect(
        [
            *missing(callables, "get_call_parameters"),
            *missing(engine, "link_state_to_flow_run_result", "get_state_for_result"),
            *parameters(callables.get_call_parameters, "apply_defaults"),
        ]
    )


def test_a_flow_asks_its_class_for_parameters_and_calls_its_function():
    expect(missing(Flow, "__call__", "validate_parameters"))
    assert "self.fn" in inspect.getsource(Flow)


def test_a_deployments_id_is_in_the_context():
    expect(missing(context, "_deployment_id"))


def test_prefects_server_reads_whether_it_is_ephemeral():
    from prefect.server.api import server

    expect(parameters(server.create_app, "final"))
    text = inspect.getsource(server.create_app)
    expect([] if internals.EPHEMERAL_SERVER in text else [internals.EPHEMERAL_SERVER])


def test_prefects_runner_sets_the_id_of_a_flow_run():
    from prefect.runner import runner

    text = inspect.getsource(runner)
    expect([] if of_processes.FLOW_RUN_ID in text else [of_processes.FLOW_RUN_ID])


def test_the_same_version_was_read_for_both_modules():
    assert of_processes.READ_FROM == internals.READ_FROM


def test_a_state_gives_its_value_or_its_error_in_any_thread():
    error = ValueError("x")
    assert internals.value_of(Completed(data=7)) == 7
    assert internals.value_of(Failed(data=error)) is error
    found = []
    thread = threading.Thread(target=lambda: found.append(internals.value_of(Completed(data=8))))
    thread.start()
    thread.join(10)
    assert found == [8]


def test_retries_end_for_what_has_begun():
    with temporary_settings():
        assert get_current_settings().client.max_retries > 0
        internals.stop_retrying()
        assert get_current_settings().client.max_retries == 0


def test_a_value_leads_to_the_state_it_came_from_and_a_tag_to_its_run(prefect_api):
    from prefect.settings import PREFECT_API_URL

    @task
    def make():
        internals.tag_task_run("a-tag")
        return [1]

    @flow
    def whole():
        value = make()
        return internals.state_behind(value), internals.state_behind(object())

    with temporary_settings({PREFECT_API_URL: prefect_api}):
        states: Any = whole()
        known, unknown = states
        from prefect.client.orchestration import get_client

        with get_client(sync_client=True) as client:
            found = client.read_task_run(known.state_details.task_run_id)
    assert unknown is None
    assert known.is_completed()
    assert "a-tag" in found.tags


def test_without_a_private_handler_the_log_is_only_louder(monkeypatch):
    monkeypatch.delattr(handlers, "_SafeStreamHandler")
    assert all(isinstance(each, logging.Handler) for each in internals.console_handlers())


def test_without_queues_there_is_nothing_to_drop(monkeypatch):
    monkeypatch.setattr(internals, "_services", lambda: iter([object]))
    internals.drop_unsent()


def test_prefect_is_not_imported_before_it_is_needed():
    code = (
        "import sys, foldproof.tasks.prefect_server.prefect_internals, "
        "foldproof.tasks.run.deployment_internals; print('prefect' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.stdout == "False\n", ended.stderr
