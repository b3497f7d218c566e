"""Show a run in the Prefect UI: its progress, the logs of its folds, its artifacts."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import get_run_logger
from prefect.context import FlowRunContext, TaskRunContext

from foldproof.tasks.data.sources.choose import recorded
from foldproof.tasks.data.target_facts import named_positive
from foldproof.tasks.evaluation.tables import Tables
from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.prefect_ui import artifacts
from foldproof.tasks.prefect_ui.api_calls import ApiCallQueue, ProgressArtifact
from foldproof.tasks.prefect_ui.fold_log import FoldLog
from foldproof.tasks.run.session import Run
from foldproof.tasks.training.progress import read_progress
from foldproof.tasks.workers.output import FOLDER

DESCRIPTIONS = {
    "summary": "Mean, spread and interval of each metric",
    "folds": "Each fold; failed ones first",
    "report": "The run at a glance, and where its report lies",
}
POLL_INTERVAL_S = 0.5  # between two reads of the workers' progress
UPDATE_INTERVAL_S = 2.0  # between two updates of progress artifacts
MIN_PROGRESS_S = 5.0  # of training, before a fold gets a progress artifact of its own
CLOSE_TIMEOUT_S = 10.0  # for the last calls of a run
STOPPED_CLOSE_TIMEOUT_S = 1.0  # for those of a run that was stopped


class RunView:
    """The view of one run in the Prefect UI, updated in the background."""

    def __init__(self, run: Run) -> None:
        """Start showing a run; called in its flow run's context."""
        context = FlowRunContext.get()
        assert context is not None  # we are in the flow's body
        assert context.flow_run is not None
        self._run, self._flow_run = run, context.flow_run.id
        self._watched = run.is_watched()
        self._logs: dict[tuple[int, int], tuple[FoldLog, Path, ProgressArtifact]] = {}
        self._lock, self._updated_at = threading.Lock(), time.monotonic()
        self._closed = False
        (run.scratch / FOLDER).mkdir(exist_ok=True)
        self._api_calls = ApiCallQueue(self._poll_workers, POLL_INTERVAL_S)
        self._progress = self._progress_of(None, self._key("progress"))

    def follow(self, job: FoldJob, progress: Path, train: Callable[[], FoldRecord]) -> FoldRecord:
        """Train a fold and write its task run's log; called in the fold's task.

        Args:
            job: the fold.
            progress: the file of its slot's progress.
            train: trains it.
        """
        context = TaskRunContext.get()
        if context is None:
            return train()
        label = self._run.label(job)
        everything = self._run.display.verbose
        log = FoldLog(job, label, self._run.scratch, get_run_logger(), everything)
        key = self._key(label.partition(" of ")[0] + "".join(label.partition(", repeat")[1:]))
        entry = log, progress, self._progress_of(context.task_run.id, key)
        with self._lock:
            self._logs[log.place] = entry
        try:
            record = train()
        finally:
            with self._lock:
                self._logs.pop(log.place, None)
        log.end(record)
        self._finish(log, record, entry[2])
        return record

    def publish(self, tables: Tables, report: Path, notices: Sequence[str]) -> None:
        """Publish the artifacts of the finished run: summary, folds, and a page with plots."""
        if not self._watched:
            return
        key, metrics = self._run.key, self._run.metrics
        labels = [self._run.label(job) for job in self._run.jobs]
        files = sorted(path.name for path in report.iterdir())
        made = (
            ("summary", "table", artifacts.summary_rows(tables)),
            ("folds", "table", artifacts.fold_rows(tables, metrics, labels)),
            ("report", "markdown", artifacts.page(tables, key, notices, report, files)),
        )
        label = named_positive(self._run.dataset.facts)
        positive = f"; positive: {label}" if label else ""
        self._api_calls.resume()
        self._api_calls.enqueue(lambda _: self._show_progress())
        for what, kind, data in made:
            content = data if isinstance(data, str) else json.dumps(data, allow_nan=False)
            about = DESCRIPTIONS[what] + (positive if what == "summary" else "")
            self._api_calls.enqueue(self._artifact(what, kind, content, about))
        self.close(CLOSE_TIMEOUT_S)

    def close(self, seconds: float = STOPPED_CLOSE_TIMEOUT_S) -> None:
        """Stop showing the run: wait for the last calls, and report missed updates; once."""
        if self._closed:
            return
        self._closed = True
        self._api_calls.end(seconds)
        if self._api_calls.missed:
            count, why = self._api_calls.missed, self._api_calls.reason
            self._run.tell(f"Prefect missed {count} updates of progress and artifacts ({why})")

    def _artifact(self, what: str, kind: str, content: str, about: str) -> Callable[[Any], None]:
        def send(client: Any) -> None:
            from prefect.client.schemas.actions import ArtifactCreate

            named = {"key": self._key(what), "description": about}
            made = ArtifactCreate(type=kind, data=content, flow_run_id=self._flow_run, **named)
            client.create_artifact(made)

        return send

    def _poll_workers(self) -> None:
        """Read the workers' progress; called repeatedly in the thread of the API calls."""
        now = time.monotonic()
        with self._lock:
            entries = list(self._logs.values())
        for log, path, _ in entries:
            log.update(read_progress(path), now)
        if self._watched and now - self._updated_at >= UPDATE_INTERVAL_S:
            self._updated_at = now
            self._show_progress()
            for log, _, progress in entries:
                if log.epoch and log.began is not None and now - log.began > MIN_PROGRESS_S:
                    progress.show(log.share(), log.progress())

    def _show_progress(self) -> None:
        records, total = list(self._run.records.values()), self._run.n_folds
        if total is None:  # the data is still being read
            return
        failed = sum(record.error is not None for record in records)
        with self._lock:
            under_way = sum(log.share() for log, _, _ in self._logs.values())
        text = f"{len(records)} of {total} folds" + (f", {failed} failed" if failed else "")
        self._progress.show(min(1.0, (len(records) + under_way) / max(1, total)), text)

    def _finish(self, log: FoldLog, record: FoldRecord, progress: ProgressArtifact) -> None:
        """Complete a fold's progress artifact with the outcome of the fold."""
        if progress.is_shown:
            done = f"done in {log.seconds():.1f} s on {record.slot}"
            text = f"{log.label}: {done if record.error is None else f'failed: {record.error}'}"
            share = 1.0 if record.error is None else log.share()
            self._api_calls.enqueue(lambda _: progress.show(share, text))

    def _progress_of(self, task_run: UUID | None, key: str | None) -> ProgressArtifact:
        return ProgressArtifact(self._api_calls, self._flow_run, task_run, key)

    def _key(self, what: str) -> str:
        study = self._run.study
        return artifacts.artifact_key(study.model.builder, recorded(study.data.source), what)


@contextmanager
def viewed(run: Run) -> Iterator[None]:
    """Show a run in Prefect within the block, and close the view in any case."""
    if FlowRunContext.get() is None:  # the body was called without its flow
        yield
        return
    view = run.view = RunView(run)
    try:
        yield
    finally:
        view.close()
