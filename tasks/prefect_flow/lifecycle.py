"""Call the flow: check everything first, bring up what it needs, and take it down again."""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

from prefect import Flow
from prefect.settings import PREFECT_API_URL, temporary_settings

from foldproof.tasks.common.errors import InputError, RunFailed
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.prefect_flow.api import Api
from foldproof.tasks.prefect_flow.api_watch import (
    ApiWatch,
    count_unseen,
    give_up,
    is_outage,
    missed,
    tls_settings,
    unreachable,
)
from foldproof.tasks.prefect_flow.prefect_internals import (
    console_handlers,
    drain,
    given_arguments,
    link_to_state,
    set_up_logging,
    value_of,
)
from foldproof.tasks.prefect_flow.server import EmbeddedServer, using
from foldproof.tasks.prefect_flow.states import flow_run_name, told
from foldproof.tasks.prefect_ui.form import from_form, study_signature, with_more
from foldproof.tasks.report.result import Result
from foldproof.tasks.run.progress_view import Display
from foldproof.tasks.run.session import Run, Service, current, launched

PATIENCE = 5.0  # seconds that Prefect's last messages may take
CARE = 30.0  # the same where the server is about to end, and would be missed by what is left


class LaunchedFlow(Flow[..., Result]):
    """A flow that, when called, checks its input first and starts what it needs.

    Runs from deployments do not come this way: they start in Prefect's engine, and the
    flow's body brings up what it needs.
    """

    def __init__(self, fn: Callable[..., Result], **options: Any) -> None:
        """Make a flow whose form is that of the settings."""
        super().__init__(fn, **{"flow_run_name": flow_run_name, **options})
        self.__signature__ = study_signature(fn)  # of the form alone
        self.fn = fn if hasattr(fn, "__wrapped__") else told(fn)  # with_options comes again

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Take what a form sent; the flow's body says in one line what is wrong with it.

        Raises:
            InputError: there is no parameter of a name.
        """
        if unknown := parameters.keys() - {*Study.model_fields, "more"}:
            from_form(dict.fromkeys(unknown))
        return parameters

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the cross-validation and return its result.

        Raises:
            InputError: something about the input is wrong; nothing was started.
        """
        options = {
            name: kwargs.pop(name) for name in ("return_state", "wait_for") if name in kwargs
        }
        given = given_arguments(self.fn, args, kwargs)
        return self.launch(Run(parse_study(with_more(given)), Display()), **options)

    def launch(self, run: Run, **options: Any) -> Any:
        """Run the flow for a run that may have begun already, and end its processes.

        Raises:
            InputError: something about the input is wrong; nothing was started.
            RunFailed: what was wrong with the disk, the folds or the Prefect server.
        """
        run.service = run.service or Api()
        with launched(run), quiet_prefect(run.display.verbose):
            run.begin()
            run.check()
            run.prepare_workers()
            run.display.status("starting Prefect")
            return seen_through(run, lambda: self.perform(run, **options))

    def perform(self, run: Run, **options: Any) -> Any:
        """Run the flow of a run that was checked; inside of another flow it is its subflow."""
        try:
            with current(run):
                call = {**sections(run.study), **options, "return_state": True}
                state = super().__call__(**call)
            if options.get("return_state"):
                return state
            found = outcome(state)
            link_to_state(found, state)  # for the graph of a comparison
            return found
        except Exception as error:
            if run.result is None or not is_outage(error):
                raise
            return run.result  # the report was there before the server went away
        finally:
            run.display.stop()


class Launchable(Protocol):
    """A run, or several: what is launched as one flow."""

    on_end: Callable[[], None]
    result: Any
    service: Service | None

    def start_service(self) -> None:
        """Start what it needs beside its workers."""
        ...

    def task_counts(self) -> dict[str, int]:
        """Return how many tasks each flow run has, by the flow run's id."""
        ...


def seen_through(run: Launchable, perform: Callable[[], Any]) -> Any:
    """Perform a flow with the server that it needs; an outage of that costs no result.

    Args:
        run: is checked and ready.
        perform: calls the flow and returns its result.

    Raises:
        InputError: a configured API does not answer at the start.
        RunFailed: it went away before there was a result.
    """
    run.start_service()
    server = run.service.server if isinstance(run.service, Api) else None
    with using(server), watched(run, server) as watch:
        try:
            result = perform()
        except Exception as error:
            result = _after_an_outage(run, error)
        finally:
            flush_to_api(CARE if server is not None and not watch.is_gone() else PATIENCE)
        if server is not None and not watch.is_gone():
            for flow_run, tasks in run.task_counts().items():
                server.settle(flow_run, tasks)
        return _with_what_was_missed(result, run, watch)


@contextmanager
def watched(run: Launchable, server: EmbeddedServer | None) -> Iterator[ApiWatch]:
    """Keep an eye on the Prefect API; a run that ends while it is gone does not wait for it.

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
                give_up()

        run.on_end = end
        try:
            yield watch
        finally:
            watch.stop()


def _after_an_outage(run: Launchable, error: Exception) -> Any:
    """Return the result of a run whose report was there before the server went away."""
    if not is_outage(error):
        raise error
    if run.result is None:
        give_up()
        remedy = "run the same command again: finished folds are kept"
        raise RunFailed(f"the Prefect server does not answer ({error}); {remedy}") from None
    return run.result


def _with_what_was_missed(result: Any, run: Launchable, watch: ApiWatch) -> Any:
    notice = missed(watch, lambda: count_unseen(run.task_counts()))
    if notice and hasattr(result, "notices"):
        return replace(result, notices=(*result.notices, notice))
    return result


def launched_flow(function: Callable[..., Result]) -> LaunchedFlow:
    """Make a flow of a function, under the function's name."""
    return LaunchedFlow(function, name=function.__name__)


def outcome(state: Any) -> Any:
    """Return the result of a run, which may have failed folds, or raise what ended it."""
    found = value_of(state)
    if isinstance(found, BaseException):
        raise found
    return found


def sections(study: Study) -> dict[str, Any]:
    """Return a study as the flow's parameters."""
    return {name: getattr(study, name) for name in Study.model_fields}


@contextmanager
def quiet_prefect(verbose: bool) -> Iterator[None]:
    """Keep Prefect's log off the terminal; it still goes to the API."""
    if verbose:
        yield
        return
    os.environ.setdefault("DO_NOT_TRACK", "1")
    set_up_logging()  # which would undo this later
    consoles = console_handlers()
    levels = [handler.level for handler in consoles]
    for handler in consoles:
        handler.setLevel(logging.CRITICAL + 1)
    told = logging.raiseExceptions
    logging.raiseExceptions = False  # or logs that a lost server cannot take are printed about
    try:
        yield
    finally:
        logging.raiseExceptions = told
        for handler, level in zip(consoles, levels, strict=True):
            handler.setLevel(level)


def flush_to_api(patience: float = PATIENCE) -> None:
    """Send what Prefect still holds back, before an embedded server ends.

    Args:
        patience: seconds that this may take.
    """
    # In a notebook a loop runs in this thread, and draining would want to be awaited.
    thread = threading.Thread(target=drain, args=(patience,))
    thread.start()
    thread.join()
