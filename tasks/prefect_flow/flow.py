"""The Prefect flow of a cross-validation: called in a process, or run from a deployment."""

from collections.abc import Callable
from typing import Any

from prefect import Flow

from foldproof.tasks.config.from_python.call import arranged, settings_of_call
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.prefect_flow.console import quiet_prefect
from foldproof.tasks.prefect_flow.lifecycle import outcome, run_with_api
from foldproof.tasks.prefect_flow.names import flow_run_name
from foldproof.tasks.prefect_flow.recorded import recorded_study
from foldproof.tasks.prefect_flow.states import end_in_flow_state
from foldproof.tasks.prefect_flow.task_counts import count_task
from foldproof.tasks.prefect_server.api import Api
from foldproof.tasks.prefect_server.api_watch import is_outage
from foldproof.tasks.prefect_server.prefect_internals import link_to_state
from foldproof.tasks.prefect_ui.form import from_form, study_signature, with_more
from foldproof.tasks.report.result import Result
from foldproof.tasks.run.current_run import current, launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display

WITHOUT_BOX = ("name", "report")  # settings that no parameter of the flow has


class LaunchedFlow(Flow[..., Result]):
    """The flow object: a call validates settings and starts processes before the flow runs.

    Runs from deployments do not come this way: they start in Prefect's engine, and the
    flow's body brings up what it needs.
    """

    def __init__(self, fn: Callable[..., Result], **options: Any) -> None:
        """Make a flow whose form is that of the settings."""
        super().__init__(fn, **{"flow_run_name": flow_run_name, **options})
        self.__signature__ = study_signature(fn)  # of the form alone
        self.fn = (
            fn if hasattr(fn, "__wrapped__") else end_in_flow_state(fn)
        )  # with_options comes again

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Accept the form's parameters unchecked; the flow's body validates them.

        Raises:
            InputError: there is no parameter of a name.
        """
        if unknown := parameters.keys() - {*Study.model_fields, "more"}:
            from_form(dict.fromkeys(unknown))
        return parameters

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the cross-validation and return its result: `foldproof.cross_validate` explains all.

        Raises:
            InputError: something about the input is wrong; nothing was trained.
        """
        options = {
            name: kwargs.pop(name) for name in ("return_state", "wait_for") if name in kwargs
        }
        args, kwargs = arranged(args, kwargs)
        given = with_more(settings_of_call(*args, **kwargs))
        return self.launch(Run(parse_study(given), Display(), keep=True), **options)

    def launch(self, run: Run, **options: Any) -> Any:
        """Run the flow for a run, which may have started, and stop its processes.

        Raises:
            InputError: something about the input is wrong; nothing was trained.
            RunFailed: what was wrong with the disk, the folds or the Prefect server.
        """
        run.service = run.service or Api(run.keeps)
        with launched(run), quiet_prefect(run.display.verbose):
            run.begin()
            run.display.status("starting Prefect")
            return run_with_api(run, lambda: self.perform(run, **options))

    def perform(self, run: Run, **options: Any) -> Any:
        """Run the flow of a run that has begun; inside of another flow it is its subflow."""
        try:
            count_task()  # where it is a subflow
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


def launched_flow(function: Callable[..., Result]) -> LaunchedFlow:
    """Make a flow of a function, under the function's name."""
    return LaunchedFlow(function, name=function.__name__)


def sections(study: Study) -> dict[str, Any]:
    """Return a study as the flow's parameters."""
    kept = recorded_study(study)
    boxes = {name: getattr(kept, name) for name in Study.model_fields if name not in WITHOUT_BOX}
    further = kept.model_dump(mode="json", include=set(WITHOUT_BOX), exclude_defaults=True)
    return boxes | ({"more": further} if further else {})
