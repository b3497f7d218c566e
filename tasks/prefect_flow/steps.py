"""The flow's steps as Prefect tasks; the plain functions behind them know nothing of Prefect."""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from prefect import get_run_logger

from foldproof.tasks.config.data import READINGS
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.data.sources.choose import recorded
from foldproof.tasks.data.target_facts import (
    MAX_LISTED_CLASSES,
    WARNING,
    classes_line,
    positive_line,
)
from foldproof.tasks.evaluation import tables as reduce
from foldproof.tasks.evaluation.findings.collect import find
from foldproof.tasks.evaluation.findings.types import Evidence
from foldproof.tasks.evaluation.summary import IntervalSettings
from foldproof.tasks.folds.job import FoldRecord
from foldproof.tasks.folds.paths import RUNS
from foldproof.tasks.folds.split.plan import FoldPlan
from foldproof.tasks.prefect_flow.task_states import step
from foldproof.tasks.prefect_ui.artifacts import headline
from foldproof.tasks.prefect_ui.form import from_form
from foldproof.tasks.prefect_ui.view import viewed
from foldproof.tasks.report import folder as report
from foldproof.tasks.report.index import update_index
from foldproof.tasks.report.result import Result
from foldproof.tasks.run.allowlist import check_trust
from foldproof.tasks.run.current_run import current_run, launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.stored_reports import request_facts
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.disk_errors import RERUN_REMEDY, disk_errors_as_run_failed
from foldproof.tasks.store.object_storage import storage_errors_as_run_failed, upload_report

NAMES = ("data", "split", "model", "train", "metrics", "compute", "seed", "out", "more")


@contextmanager
def running(*parameters: Any) -> Iterator[Run]:
    """Yield the run that a command or a call launched; in a deployment, launch the form's."""
    known = current_run()
    if known is not None:
        with viewed(known):
            yield known
        known.on_end()
        return
    study = parse_study(from_form(dict(zip(NAMES, parameters, strict=True))))
    check_trust(study, deployed=True)  # nobody here called it: Prefect's engine did
    with launched(Run(study, Display())) as run:
        run.begin()
        with viewed(run):
            yield run


@step("load data", lambda dataset: f"{dataset.rows} rows, {dataset.task}")
def load_data(run: Run) -> Dataset:
    """Read the source, check every value, and put it on disk for the workers to map."""
    dataset = run.load_data()
    facts = dataset.facts
    line = positive_line(facts, run.chose_positive) or classes_line(facts, MAX_LISTED_CLASSES)
    level = logging.WARNING if line.startswith(WARNING) else logging.INFO
    get_run_logger().log(level, line)
    return dataset


@step("split rows", lambda plan: f"{len(plan.folds)} folds, {plan.method}")
def split_rows(run: Run, dataset: Dataset) -> FoldPlan:
    """Divide the rows, and check every promise of the split method."""
    return run.split_rows()


@step("reduce folds", headline)
def reduce_folds(run: Run, records: Sequence[FoldRecord]) -> reduce.Tables:
    """Combine the folds into tables, metrics and intervals."""
    run.display.status("computing metrics and intervals")
    run.fetch_stored()  # what other machines sent to object storage
    wanted = run.study.report
    intervals = IntervalSettings(wanted.level, wanted.intervals, run.study.seed)
    return reduce.reduce_folds(run.dataset, run.plan, run.jobs, records, run.metrics, intervals)


@step("write report", lambda result: f"report: {result.where}")
def write_report(run: Run, tables: reduce.Tables) -> Result:
    """Write the report folder, whole or not at all."""
    run.display.status("writing the report")
    settings = run.study
    found = find(Evidence(settings, run.dataset, run.plan, tables))
    warnings = run.placement.numerics.warnings()
    findings = (*(finding.text(run.dataset.names) for finding in found), *warnings)
    said = (*run.dataset.notices, *run.plan.notices, *run.identity.notices)
    lasting = (*said, *findings)
    facts = {
        "source": recorded(settings.data.source),
        **{name: json.dumps(settings.data.reading(name)) for name in READINGS},
        "out": settings.out,
        "workers": str(settings.compute.workers),
        "engine": settings.compute.engine,
        **({"name": settings.name} if settings.name else {}),
        **request_facts(run, lasting),
    }
    with disk_errors_as_run_failed(f"out: the report in {settings.out!r}", RERUN_REMEDY):
        run.save_source_record()
        written = report.write_report(tables, found, run.key, warnings, run.out, facts)
    if run.remote is None:
        update_index(run.out, written.path)
    if run.view is not None:
        run.view.publish(tables, written.path, (*run.notices, *findings))
    if run.remote is not None:
        with storage_errors_as_run_failed(run.remote.uri):
            upload_report(run.remote, written.path, report.EXECUTION, report.MANIFEST)
    failures = [record for record in run.records.values() if record.error is not None]
    run.result = Result(
        path=written.path,
        run_id=written.run_id,
        n_folds=len(run.jobs),
        n_failed=len(failures),
        notices=(*run.notices, *findings),
        tracebacks=tuple((r.repeat, r.fold, str(r.error), r.traceback) for r in failures),
        address=run.remote.at(f"{RUNS}/{written.run_id}") if run.remote else "",
        chosen=run.chose_positive,
        has_earlier=written.has_earlier,
        study=settings,
    )
    return run.result
