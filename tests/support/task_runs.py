"""The task runs of a flow run, which Prefect's server writes down later than the run's end."""

from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import TaskRun

from tests.support.processes import wait_for

RECORDED_S = 60.0


def ended_task_runs(client: SyncPrefectClient, flow_run: UUID, n: int) -> list[TaskRun]:
    """Return a flow run's task runs, once the server knows of `n` and how all of them ended."""
    of_it = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run]))
    found: list[TaskRun] = []

    def all_ended() -> bool:
        found[:] = client.read_task_runs(flow_run_filter=of_it)
        return len(found) >= n and all(task.state and task.state.is_final() for task in found)

    def said() -> str:
        states: list[Any] = [(task.name, task.state_name) for task in found]
        return f"{n} tasks should have ended; known are {states}"

    wait_for(all_ended, said, RECORDED_S)
    return found
