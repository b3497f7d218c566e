"""The Prefect flow object of a comparison, and its steps as Prefect tasks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from prefect import Flow

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.comparison import folder as report
from foldproof.tasks.comparison.models import read_models
from foldproof.tasks.comparison.result import ComparisonResult
from foldproof.tasks.comparison.studies import (
    Comparison,
    current_comparison,
    open_comparison,
    studies_of,
)
from foldproof.tasks.comparison.tables import ComparisonTables, compare_tables
from foldproof.tasks.config.study import Study
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.folds.split.plan import FoldPlan
from foldproof.tasks.prefect_flow.console import quiet_prefect
from foldproof.tasks.prefect_flow.lifecycle import outcome, run_with_api
from foldproof.tasks.prefect_flow.names import named, readable_name
from foldproof.tasks.prefect_flow.recorded import recorded_study
from foldproof.tasks.prefect_flow.states import end_in_flow_state
from foldproof.tasks.prefect_flow.task_states import step
from foldproof.tasks.prefect_server.api import Api
from foldproof.tasks.prefect_ui.form import shared_and_own, studies_signature
from foldproof.tasks.report.result import Result
from foldproof.tasks.run.allowlist import check_trust

SHARED = ("data", "split", "train", "metrics", "compute", "seed", "out", "more")


def _requested_studies(studies: Any, models: Any, shared: Mapping[str, Any]) -> list[Study]:
    """Return what a deployed run was given as studies: by itself, or by the form."""
    if not studies:
        return studies_of(shared_and_own(shared, models))
    if models:
        raise InputError("models", "clash with studies; give one of the two")
    return studies_of(studies, by_form=True)


@contextmanager
def comparing(studies: Any, models: Any, *shared: Any) -> Iterator[Comparison]:
    """Yield the comparison that a command or call launched; in a deployment, launch the form's.

    Args:
        studies: the settings of each model; or
        models: of each, what is its own, and
        shared: what they have in common, in the order of `SHARED`.

    Raises:
        InputError: something about the input is wrong; nothing was trained.
    """
    known = current_comparison()
    if known is not None:
        yield known
        known.on_end()
        return
    asked = _requested_studies(studies, models, dict(zip(SHARED, shared, strict=True)))
    for study in asked:
        check_trust(study, deployed=True)  # nobody here called it: Prefect's engine did
    with open_comparison(Comparison(asked)) as comparison:
        comparison.begin()
        yield comparison


@step("load data", lambda found: f"{found[0].rows} rows, {found[0].task}")
def load_compared_data(comparison: Comparison) -> list[Dataset]:
    """Read the data that all models share, once for each way in which it is read."""
    return comparison.load_data()


@step("split rows", lambda found: f"{len(found[0].folds)} folds, {found[0].method}")
def split_compared_rows(comparison: Comparison, datasets: Sequence[Dataset]) -> list[FoldPlan]:
    """Divide the rows into the folds that all models share."""
    return comparison.split_rows()


@step("compare models", lambda tables: f"{tables.pairs.num_rows} tests of pairs")
def compare_folds(results: Sequence[Result]) -> ComparisonTables:
    """Test the models in pairs, from their reports."""
    return compare_tables(read_models([result.path for result in results]))


@step("write comparison", lambda result: f"report: {result.where}")
def write_comparison(
    comparison: Comparison, results: Sequence[Result], tables: ComparisonTables
) -> ComparisonResult:
    """Write the comparison's folder, whole or not at all."""
    models = read_models([result.path for result in results])
    out = results[0].path.parent.parent
    path = report.write_comparison(models, tables, out)
    comparison.result = ComparisonResult(path, path.name, tuple(results))
    return comparison.result


class ComparedFlow(Flow[..., ComparisonResult]):
    """The flow object of a comparison: wrong input ends in a Failed state."""

    def __init__(self, fn: Callable[..., ComparisonResult], **options: Any) -> None:
        """Make a flow of a function that takes studies."""
        super().__init__(fn, **{"flow_run_name": _flow_run_name, **options})
        self.__signature__ = studies_signature(fn)  # of the form alone
        is_told = hasattr(fn, "__wrapped__")  # with_options comes again
        self.fn = fn if is_told else end_in_flow_state(fn, lambda: current_comparison() is not None)

    def validate_parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Accept the form's parameters unchecked; the flow's body validates them."""
        return parameters


def compared_flow(function: Callable[..., ComparisonResult]) -> ComparedFlow:
    """Make a flow of a function, under the function's name."""
    return ComparedFlow(function, name=function.__name__)


def _flow_run_name() -> str:
    return named(_name_of)


def _name_of(parameters: dict[str, Any]) -> str:
    shared = {name: parameters[name] for name in SHARED}
    return _readable_name(_requested_studies(parameters["studies"], parameters["models"], shared))


def _readable_name(studies: Sequence[Study]) -> str:
    """Return a name like `mlp, svm on breast_cancer, 10 folds`."""
    of_each = [readable_name(study, None).partition(" on ") for study in studies]
    return f"{', '.join(name for name, _, _ in of_each)} on {of_each[0][2]}"


def launch(flow: Any, comparison: Comparison) -> ComparisonResult:
    """Validate the settings, run the flow, and stop all processes.

    Raises:
        InputError: something about the input is wrong; nothing was trained.
        RunFailed: what was wrong with the disk, the folds or the Prefect server.
    """
    comparison.service = comparison.service or Api(keep=comparison.keeps)
    with open_comparison(comparison), quiet_prefect(comparison.verbosity == "verbose"):
        comparison.begin()
        comparison.display.status("starting Prefect")

        def perform() -> ComparisonResult:
            kept = [recorded_study(study) for study in comparison.studies]
            result: ComparisonResult = outcome(flow(kept, return_state=True))
            return result

        found: ComparisonResult = run_with_api(comparison, perform)
        return found
