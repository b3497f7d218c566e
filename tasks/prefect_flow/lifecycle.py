"""Run a flow against its Prefect API: bring up what it needs, and take it down again."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from prefect.settings import PREFECT_API_URL, temporary_settings

from foldproof.tasks.common.errors import InputError, RunFailed
from foldproof.tasks.prefect_flow.task_counts import counting_tasks
from foldproof.tasks.prefect_server.api import Api
from foldproof.tasks.prefect_server.api_watch import (
    ApiWatch,
    count_unseen,
    disable_api_retries,
    is_outage,
    outage_notice,
    tls_settings,
    unreachable,
)
from foldproof.tasks.prefect_server.prefect_internals import (
    drain,
    value_of,
)
from foldproof.tasks.prefect_server.server import EmbeddedServer, server_in_settings
from foldproof.tasks.run.protocols import Launchable

FLUSH_TIMEOUT_S = 5.0  # for Prefect's client to send what it holds back
EMBEDDED_FLUSH_TIMEOUT_S = 30.0  # the same where the server ends with the run


def run_with_api(run: Launchable, perform: Callable[[], Any]) -> Any:
    """Run a flow against its Prefect API; keep the result if the API goes away.

    Args:
        run: has begun.
        perform: calls the flow and returns its result.

    Raises:
        InputError: a configured API does not answer at the start, or the input is wrong.
        RunFailed: the run failed, or the API went away before there was a result.
    """
    run.start_service()
    _import_for_tasks()
    api = run.service if isinstance(run.service, Api) else Api()
    server, is_kept = api.server, api.is_kept
    with server_in_settings(server), watching_api(run, server) as watch, counting_tasks() as counts:
        try:
            result = _perform(run, perform)
        except (InputError, RunFailed):
            _send_task_ends(server, watch, counts, is_kept)
            raise
        except BaseException:  # somebody who stopped the run does not wait for more
            flush_to_api()
            raise
        _send_task_ends(server, watch, counts, is_kept)
        return _noting_missed_tasks(result, counts, watch)


def _perform(run: Launchable, perform: Callable[[], Any]) -> Any:
    try:
        return perform()
    except Exception as error:
        return _result_despite_outage(run, error)


def _import_for_tasks() -> None:
    """Import what the first tasks need, which takes a second, while a server starts."""
    import sklearn.datasets
    import sklearn.metrics
    import sklearn.model_selection  # noqa: F401


def _send_task_ends(
    server: EmbeddedServer | None, watch: ApiWatch, counts: Mapping[str, int], is_kept: bool
) -> None:
    """Flush the states of task runs to the API, before an embedded server ends."""
    is_there = server is not None and not watch.is_gone()
    flush_to_api(EMBEDDED_FLUSH_TIMEOUT_S if is_there else FLUSH_TIMEOUT_S)
    if server is not None and not watch.is_gone():
        for flow_run, tasks in counts.items():
            server.expect(flow_run, tasks)
        if not is_kept:
            server.settle()


@contextmanager
def watching_api(run: Launchable, server: EmbeddedServer | None) -> Iterator[ApiWatch]:
    """Poll the Prefect API in the background; a run that ends in an outage does not wait for it.

    Raises:
        InputError: a configured API does not answer at the start.
    """
    with temporary_settings():  # of this run's own, which giving up may change
        url = server.url if server else str(PREFECT_API_URL.value())
        tls = tls_settings(url)
        if server is None and (why := unreachable(url, tls)):
            raise InputError("PREFECT_API_URL", f"{url} {why}")
        watch = ApiWatch(url, tls)

        def end() -> None:
            if not watch.comes_back():
                disable_api_retries()

        run.on_end = end
        try:
            yield watch
        finally:
            watch.stop()


def _result_despite_outage(run: Launchable, error: Exception) -> Any:
    """Return the result of a run whose report was written before the outage."""
    if not is_outage(error):
        raise error
    if run.result is None:
        disable_api_retries()
        remedy = "run the same command again: finished folds are kept"
        raise RunFailed(f"the Prefect server does not answer ({error}); {remedy}") from None
    return run.result


def _noting_missed_tasks(result: Any, counts: Mapping[str, int], watch: ApiWatch) -> Any:
    notice = outage_notice(watch, lambda: count_unseen(counts))
    if notice and hasattr(result, "notices"):
        return replace(result, notices=(*result.notices, notice))
    return result


def outcome(state: Any) -> Any:
    """Return the result that a final state holds, or raise the exception that it holds."""
    found = value_of(state)
    if isinstance(found, BaseException):
        raise found
    return found


def flush_to_api(timeout: float = FLUSH_TIMEOUT_S) -> None:
    """Flush the events and log lines that Prefect's client holds back.

    Args:
        timeout: in seconds.
    """
    # In a notebook a loop runs in this thread, and draining would want to be awaited.
    thread = threading.Thread(target=drain, args=(timeout,))
    thread.start()
    thread.join()
