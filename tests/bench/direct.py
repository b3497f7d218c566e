"""Folds of ours in real workers without Prefect: the flow's steps as plain calls."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.folds.job import FoldRecord
from foldproof.tasks.prefect_flow import steps
from foldproof.tasks.report.result import Result
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.scratch import make_scratch, remove_scratch
from foldproof.tasks.workers.slots import Slots
from tests.bench.cases import Case, settings


def study_of(case: Case, out: Path, repeats: int = 1, engine: str = "auto") -> Study:
    """Return a case as a study."""
    return parse_study(settings(case, str(out), repeats, engine))


@contextmanager
def warm_slots(study: Study) -> Iterator[Slots]:
    """Yield the workers of a study, to be used by several runs."""
    from foldproof.tasks.machine.devices import place

    scratch = make_scratch()
    slots = Slots(place(study.compute), True, scratch, scratch / "log")
    try:
        yield slots
    finally:
        slots.stop()
        remove_scratch(scratch)


def train(run: Run, count: int | None = None) -> list[FoldRecord]:
    """Train a run's first folds, as many at a time as there are slots.

    Raises:
        RuntimeError: a fold failed.
    """
    run.check()
    with ThreadPoolExecutor(len(run.slots.slots)) as threads:
        records = list(threads.map(lambda job: train_without_prefect(run, job), run.jobs[:count]))
    failed = [record.error for record in records if record.error]
    if failed:
        raise RuntimeError(f"{len(failed)} folds failed: {failed[0]}")
    return records


def cross_validate(study: Study, slots: Slots) -> Result:
    """Do all that the flow does, report included."""
    with launched(Run(study, Display("quiet"), slots=slots)) as run:
        records = train(run)
        reduce_folds: Any = steps.reduce_folds  # tasks: what they wrap is called
        write_report: Any = steps.write_report
        tables = reduce_folds.__wrapped__(run, records)
        result: Any = write_report.__wrapped__(run, tables)
        return result
