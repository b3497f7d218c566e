"""Make a function a Prefect task whose final state has its outcome as the message."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from foldproof.tasks.common.errors import InputError, RunFailed
from foldproof.tasks.prefect_flow.task_counts import count_task

P = ParamSpec("P")
R = TypeVar("R")


def step(name: str, said: Callable[[Any], str]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function a step of a flow.

    What is wrong for the user to mend ends its task in a failed state with that line, not
    in a traceback, and is raised again in the flow.

    Args:
        name: what Prefect shows.
        said: makes the message of the task's state from what the function returned.
    """

    def of(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def body(*args: P.args, **kwargs: P.kwargs) -> Any:
            try:
                found = function(*args, **kwargs)
            except (InputError, RunFailed) as error:
                return Failed(message=" ".join(str(error).split()), data=error)
            return Completed(message=said(found), data=found)

        plain: dict[str, Any] = {"name": name, "task_run_name": name}
        made: Any = task(cache_policy=NO_CACHE, persist_result=False, **plain)(body)

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            count_task()
            state = made(*args, **kwargs, return_state=True)
            found: R = state.result(_sync=True)
            return found

        return call

    return of
