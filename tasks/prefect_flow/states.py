"""How a flow run is named, and what state it ends in."""

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prefect import State, get_run_logger
from prefect.context import FlowRunContext
from prefect.exceptions import Abort
from prefect.logging import get_logger
from prefect.states import Completed, Failed

from foldproof.tasks.common.errors import InputError, RunFailed
from foldproof.tasks.config.arrays_in_memory import is_memory
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.prefect_flow.default_names import is_made_up
from foldproof.tasks.prefect_ui.form import from_form
from foldproof.tasks.run.session import current_run


def told(
    function: Callable[..., Any], is_launched: Callable[[], bool] | None = None
) -> Callable[..., Any]:
    """Let a flow's body end in a state that says in one line what is wrong, if something is.

    A run from a deployment has no caller who could be told of an `InputError`, nor one who
    takes the result of a run with failed folds: both become its state. Elsewhere the error
    is raised, and the result travels with the state.

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
            if launched:
                raise
            return failed(" ".join(str(error).split()))
        if FlowRunContext.get() is None:
            return result
        _log(result)
        if not result.n_failed:
            return Completed(message=result.headline, data=result)
        line = f"{result.coverage}; report: {result.where}"
        return Failed(message=line, data=result) if launched else failed(line)

    return body


class Told(Abort):
    """End a deployed run whose state says what is wrong.

    Prefect's engine raises what a failed state holds and logs its traceback, unless it is
    of this kind; then its process ends without a word.
    """


def failed(line: str) -> State:
    """Return the failed state of a run, whose last red line in the log says the same."""
    get_run_logger().error("%s", line)
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.deployment_id is None:
        return Failed(message=line)
    get_logger("engine").setLevel(logging.WARNING)  # it would say: aborted by orchestrator
    return Failed(message=line, data=Told(line))


def flow_run_name() -> str:
    """Return a flow run's name: what was trained on what, unless somebody named it."""
    return named(_cross_validation)


def named(readable: Callable[[dict[str, Any]], str]) -> str:
    """Return a flow run's name: the one that somebody gave it, or one that can be read.

    Args:
        readable: makes one of the flow's parameters.
    """
    context = FlowRunContext.get()
    assert context is not None  # Prefect asks within a run
    assert context.flow_run is not None
    given = context.flow_run.name
    if not is_made_up(context.flow_run):
        return given
    try:
        return readable(context.parameters or {})
    except (InputError, ValueError, TypeError):  # the run is about to say so
        return given


def _cross_validation(parameters: dict[str, Any]) -> str:
    run = current_run()
    if run is not None:
        return readable_name(run.study, len(run.jobs))
    return readable_name(parse_study(from_form(parameters)), None)


def readable_name(study: Study, folds: int | None) -> str:
    """Return a name like `mlp on breast_cancer, 10 folds`.

    Args:
        study: the settings.
        folds: how many there are, if that is known.
    """
    source, split = study.data.source, study.split
    data = "arrays" if is_memory(source) else Path(source).stem or source
    count = folds or split.n_splits * split.n_repeats
    is_known = folds or split.method not in ("leave_one_out", "predefined")
    end = f"{count} folds" if is_known else split.method
    return f"{study.model.builder.rpartition(':')[2]} on {data}, {end}"


def _log(result: Any) -> None:
    logger = get_run_logger()
    for notice in result.notices:
        logger.warning(notice)
    logger.info("%s", f"\n{result}")
    logger.info("%s", f"report: {result.where}")
