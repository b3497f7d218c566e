"""Wrappers around private or undocumented names of Prefect.

Read from Prefect 3.8.8; `test_prefect_internals` fails when one of them changes. What only
the look of a log, or the end of an outage, depends on does without them where they are gone.
Imports Prefect no sooner than a caller needs it: that takes two seconds.
"""

import contextlib
import logging
from collections.abc import Iterator
from queue import Empty
from typing import Any

READ_FROM = "3.8.8"
EPHEMERAL_SERVER = "PREFECT__SERVER_EPHEMERAL"  # the server leaves out what nobody would look at
LOG_HANDLERS = ("PrefectConsoleHandler", "_SafeStreamHandler")
CONSOLE_LOGGERS = (None, "flow_runs", "task_runs", "events", "client", "_internal")


def set_up_logging() -> None:
    """Let Prefect set its logging up now, which would undo later what is changed before."""
    import prefect.main  # noqa: F401


def console_handlers() -> list[logging.Handler]:
    """Return the handlers by which Prefect writes to the terminal."""
    from prefect.logging import get_logger, handlers

    kinds = tuple(kind for name in LOG_HANDLERS if (kind := getattr(handlers, name, None)))
    loggers = [logging.getLogger(), *(get_logger(name) for name in CONSOLE_LOGGERS)]
    return [each for logger in loggers for each in logger.handlers if isinstance(each, kinds)]


def drain(timeout: float) -> None:
    """Send the events and log lines that Prefect still holds; not for a thread with a loop.

    Args:
        timeout: seconds that each kind may take.
    """
    for service in _services():
        service.drain_all(timeout=timeout)


def drop_unsent() -> None:
    """Forget the events and log lines that Prefect still holds."""
    for service in _services():
        for instance in tuple(getattr(service, "_instances", {}).values()):
            with contextlib.suppress(Empty, AttributeError):
                while True:
                    instance._queue.get_nowait()


def _services() -> Iterator[Any]:
    """Yield Prefect's background services that send events and logs."""
    with contextlib.suppress(ImportError):
        from prefect.events.worker import EventsWorker

        yield EventsWorker
    with contextlib.suppress(ImportError):
        from prefect.logging.handlers import APILogWorker

        yield APILogWorker


def stop_retrying() -> None:
    """Let each request of Prefect's client, begun ones as well, fail at the first error."""
    from prefect.settings import get_current_settings

    with contextlib.suppress(AttributeError, TypeError, ValueError):  # settings may be frozen
        get_current_settings().client.max_retries = 0


def value_of(state: Any) -> Any:
    """Return what a final state holds, an exception as well, at once in any thread."""
    return state.result(raise_on_failure=False, _sync=True)


def link_to_state(value: Any, state: Any) -> None:
    """Link a value to the state that it came from, for Prefect's graph."""
    from prefect.utilities.engine import link_state_to_flow_run_result

    link_state_to_flow_run_result(state, value)


def state_behind(value: Any) -> Any:
    """Return the state of the run that a value came from, or None if that is not known."""
    from prefect.utilities.engine import get_state_for_result

    found = get_state_for_result(value)
    return None if found is None else found[0]


def tag_task_run(tag: str) -> None:
    """Put a tag on the task run in hand.

    A tag that is there before the run starts makes Prefect ask its server for a
    concurrency slot of that name, twice a run.
    """
    from prefect.context import TaskRunContext

    context = TaskRunContext.get()
    if context is not None:
        context.task_run.tags.append(tag)


def server_app() -> Any:
    """Return Prefect's server as an ASGI application that is changed no more."""
    from prefect.server.api.server import create_app

    return create_app(final=True)
