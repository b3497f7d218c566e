"""The final state of a flow run, and the error line that its log ends with."""

import functools
import logging
from collections.abc import Callable
from typing import Any

from prefect import State, get_run_logger
from prefect.context import FlowRunContext
from prefect.exceptions import Abort
from prefect.logging import get_logger
from prefect.states import Completed, Failed

from foldproof.tasks.common.errors import InputError, RunFailed
from foldproof.tasks.run.current_run import current_run


def end_in_flow_state(
    function: Callable[..., Any], is_launched: Callable[[], bool] | None = None
) -> Callable[..., Any]:
    """Wrap a flow's body: an error of the input or the run becomes a Failed state with its line.

    Nothing is raised in the flow, so that the last red block of its log is that line, not a
    traceback. In a process that launched the run, the error and the result of a run with
    failed folds travel with the state, and `outcome` hands them to the caller.

    Args:
        function: the flow's body, which returns a `Result` or a `ComparisonResult`.
        is_launched: tells whether it has such a caller; default: whether a run is under way.
    """
    is_called = is_launched or (lambda: current_run() is not None)

    @functools.wraps(function)
    def body(*args: Any, **kwargs: Any) -> Any:
        launched = is_called() or FlowRunContext.get() is None
        try:
            result = function(*args, **kwargs)
        except (InputError, RunFailed) as error:
            if FlowRunContext.get() is None:  # the body was called without its flow
                raise
            line = " ".join(str(error).split())
            return failed(line, error) if launched else failed(line)
        if FlowRunContext.get() is None:
            return result
        _log(result)
        if not result.n_failed:
            return Completed(message=result.headline, data=result)
        line = f"{result.coverage}; report: {result.where}"
        return Failed(message=line, data=result) if launched else failed(line)

    return body


class EndedAsReported(Abort):
    """Raised by Prefect's engine for a failed deployed run, whose state names the reason.

    Prefect's engine raises what a failed state holds and logs its traceback, unless it is
    of this kind; then its process ends without a word.
    """


def failed(line: str, error: Exception | None = None) -> State:
    """Log a line as an error, and return the Failed state with it as its message.

    Args:
        line: what is wrong.
        error: the same for a caller in this process, who takes it out of the state.
    """
    get_run_logger().error("%s", line)
    if error is not None:
        return Failed(message=line, data=error)
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.deployment_id is None:
        return Failed(message=line)
    get_logger("engine").setLevel(logging.WARNING)  # it would say: aborted by orchestrator
    return Failed(message=line, data=EndedAsReported(line))


def _log(result: Any) -> None:
    logger = get_run_logger()
    for notice in result.notices:
        logger.warning(notice)
    logger.info("%s", f"\n{result}")
    logger.info("%s", f"report: {result.where}")
