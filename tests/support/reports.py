"""Real finished runs of scikit-learn estimators, trained in this process, for tests of reports."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.evaluation.findings.collect import find
from foldproof.tasks.evaluation.findings.types import Evidence, Finding
from foldproof.tasks.evaluation.summary import IntervalSettings
from foldproof.tasks.evaluation.tables import Tables, reduce_folds
from foldproof.tasks.folds.job import FoldRecord
from foldproof.tasks.report.folder import write_report
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import write_fold
from foldproof.tasks.training.fold import train_fold
from foldproof.tasks.workers.in_worker import record_of
from foldproof.tasks.workers.slots import Slots

CLASSIFIER: dict[str, Any] = {
    "builder": "sklearn.linear_model:LogisticRegression",
    "params": {"max_iter": 1000},
}
REGRESSOR: dict[str, Any] = {"builder": "sklearn.linear_model:Ridge"}
DIVIDED = {"n_splits": 3}

# Twelve rows, one a fold: an AUC of a single row is undefined.
FEW = DataSpec.from_arrays([[float(i % 2), float(i % 5)] for i in range(12)], [0, 1] * 6)
ALONE: dict[str, Any] = {"data": FEW, "split": {"method": "leave_one_out"}}

Fails = Callable[[int, int], str | None]


@dataclass(frozen=True)
class Finished:
    """A run after its last step, its scratch folder gone."""

    run: Run
    records: list[FoldRecord]
    tables: Tables
    path: Path
    run_id: str
    findings: tuple[Finding, ...] = ()


def settings(out: Path, **sections: Any) -> dict[str, Any]:
    """Return small settings: three folds of iris and a logistic regression."""
    base = {"data": {"source": "iris"}, "split": DIVIDED, "model": CLASSIFIER, "out": str(out)}
    return {**base, **sections}


@contextmanager
def prepared(given: dict[str, Any], slots: Slots | None = None) -> Iterator[Run]:
    """Yield a run of some settings, and remove its scratch folder afterwards."""
    run, path = Run(parse_study(given), Display("quiet"), slots=slots), list(sys.path)
    (run.out / "folds").mkdir(parents=True, exist_ok=True)
    try:
        yield run
    finally:
        sys.path[:] = path
        run.close()


def train(run: Run, fails: Fails = lambda repeat, fold: None) -> list[FoldRecord]:
    """Train a run's folds here and store them, but for those that are to fail."""
    records = []
    for job in run.jobs:
        error = fails(job.repeat, job.fold)
        if error is not None:
            records.append(FoldRecord(job.key, job.repeat, job.fold, error, slot="cpu:0"))
            continue
        finished = train_fold(job, 1, "cpu:0", None)
        write_fold(finished, job.store)
        records.append(record_of(finished, job, cached=False))
    return records


def parts_of(run: Run, records: list[FoldRecord]) -> tuple[Any, ...]:
    """Return what a run's folds are reduced from."""
    wanted = run.study.report
    intervals = IntervalSettings(wanted.level, wanted.intervals, run.study.seed)
    return run.dataset, run.plan, run.jobs, records, run.metrics, intervals


def found_in(run: Run, tables: Tables) -> tuple[Finding, ...]:
    """Return the findings of a run that still has its data."""
    return find(Evidence(run.study, run.dataset, run.plan, tables))


def finish(
    out: Path,
    fails: Fails = lambda repeat, fold: None,
    notices: tuple[str, ...] = (),
    slots: Slots | None = None,
    **more: Any,
) -> Finished:
    """Train, reduce and report a run; slots are for what tries its builder."""
    with prepared(settings(out, **more), slots) as run:
        records = train(run, fails)
        tables = reduce_folds(*parts_of(run, records))
        facts = {"source": run.study.data.source, "out": str(out), "workers": "1"}
        found = found_in(run, tables)
        report = write_report(tables, found, run.key, notices, run.out, facts)
        return Finished(run, records, tables, report.path, report.run_id, found)
