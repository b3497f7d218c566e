"""The comparison's steps as Prefect tasks, and how its flow is called."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from prefect import task
from prefect.runtime import flow_run

from tasks.comparison import report
from tasks.comparison.models import read_models
from tasks.comparison.result import ComparisonResult
from tasks.comparison.runs import FLOW_TASKS, Comparison, current_comparison, opened
from tasks.comparison.tables import ComparisonTables, compare_tables
from tasks.config import Study
from tasks.launch import flush_to_api, quiet_prefect
from tasks.result import Result
from tasks.server import using
from tasks.steps import PLAIN, STEPS
from tasks.trust import check_trust


@contextmanager
def comparing(studies: Sequence[Study]) -> Iterator[Comparison]:
    """Yield the comparison that this flow call was launched for, or launch one."""
    known = current_comparison()
    if known is not None:
        known.flow_run = str(flow_run.id)
        yield known
        return
    for study in studies:
        check_trust(study, deployed=True)  # nobody here called it: Prefect's engine did
    with opened(Comparison(studies)) as comparison:
        comparison.begin(with_server=False)
        comparison.check()
        yield comparison


@task(name="compare models", **PLAIN)  # type: ignore[call-overload, untyped-decorator]
def compare_folds(results: Sequence[Result]) -> ComparisonTables:
    """Test the models in pairs, from their reports."""
    return compare_tables(read_models([result.path for result in results]))


@task(name="write comparison", **PLAIN)  # type: ignore[call-overload, untyped-decorator]
def write_comparison(results: Sequence[Result], tables: ComparisonTables) -> ComparisonResult:
    """Write the comparison's folder, whole or not at all."""
    models = read_models([result.path for result in results])
    out = results[0].path.parent.parent
    path = report.write_comparison(models, tables, out)
    return ComparisonResult(path, path.name, tuple(results))


def launch(flow: Any, comparison: Comparison) -> ComparisonResult:
    """Check everything first, then run the flow, and end all processes.

    Raises:
        InputError: something about the input is wrong; nothing was trained.
    """
    with opened(comparison), quiet_prefect(comparison.verbosity == "verbose"):
        comparison.begin()
        comparison.check()
        server = comparison.start_server()
        with using(server):
            try:
                result: ComparisonResult = flow(comparison.studies)
            finally:
                flush_to_api()
        if server is not None:
            for run in comparison.runs:
                server.settle(run.flow_run, len(run.jobs) + len(STEPS))
            server.settle(comparison.flow_run, FLOW_TASKS + len(comparison.runs))
        return result
