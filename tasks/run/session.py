"""One run: its settings, what follows from them step by step, and what it holds meanwhile.

Each step is computed once, when it is first asked for, so that everything wrong about the
input is found before anything starts, and the flow's tasks then hand on what is known.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from foldproof.tasks.common.errors import InputError, Interrupted, RunFailed, WorkerLost
from foldproof.tasks.common.places import FOLDERS, ROOT
from foldproof.tasks.config.arrays_in_memory import is_memory
from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.config.study import Study
from foldproof.tasks.data.class_weights import check_class_weight
from foldproof.tasks.data.dataset import WEIGHTS, Dataset, prepare_data
from foldproof.tasks.data.sources.read import check_source
from foldproof.tasks.data.target_facts import MOST_CLASSES, WARNING, classes_line, positive_line
from foldproof.tasks.evaluation.metric_names import resolve_metrics
from foldproof.tasks.folds.job import FoldJob, FoldRecord, ModelFacts
from foldproof.tasks.folds.keys import (
    ModelIdentity,
    builder_call,
    fold_jobs,
    identify_model,
    run_id,
    run_key,
)
from foldproof.tasks.folds.paths import FOLDS, RUNS, is_remote
from foldproof.tasks.folds.plan import FoldPlan, plan_folds
from foldproof.tasks.folds.splitters import is_own
from foldproof.tasks.machine.devices import Placement, place
from foldproof.tasks.report.result import Result
from foldproof.tasks.run.allowlist import check_trust
from foldproof.tasks.run.observer import RunView, Service
from foldproof.tasks.run.preflight import check_early_stopping, check_writable, ignored_settings
from foldproof.tasks.run.progress_view import Display
from foldproof.tasks.store.atomic_folders import mend
from foldproof.tasks.store.disk_errors import GO_ON, writing
from foldproof.tasks.store.drafts import remove_drafts
from foldproof.tasks.store.fold_file import make_store
from foldproof.tasks.store.object_storage import Remote, fetch_run, sending
from foldproof.tasks.store.scratch import make_scratch, remove_scratch
from foldproof.tasks.user_code.opened_files.record import (
    may_open_files,
    read_record,
    record_name,
    write_record,
)
from foldproof.tasks.user_code.opened_files.watch import NOTHING, Opened, Unwatched
from foldproof.tasks.user_code.search_path import here
from foldproof.tasks.workers import calls as worker
from foldproof.tasks.workers.protocol import SlotPool
from foldproof.tasks.workers.slots import Slots

FLOW_TASKS = 4  # of the flow itself, besides one for each fold

_current: ContextVar["Run | None"] = ContextVar("foldproof_run", default=None)


class Run:
    """A cross-validation from its settings to its records.

    Attributes:
        study: the settings.
        display: where progress is shown.
        refresh: train anew what is stored already.
        remote: the object storage of the results, if it is not a folder.
        out: the folder of the results, or of what stands for them here.
        records: what became of each fold so far, by key.
        earlier: what was stored of folds that are trained anew.
        failure: why no fold can be finished any more, if that is so.
        on_stop: called when the run is stopped before its end.
        on_end: called when the flow's body has ended.
        result: what the run came to, once the report is there.
        flow_run: the id of the Prefect flow run that it is.
        view: what shows it in Prefect, while the flow runs.
        service: what it needs beside its workers, such as a Prefect server.
    """

    def __init__(
        self,
        study: Study,
        display: Display,
        refresh: bool = False,
        slots: SlotPool | None = None,
        owns_out: bool = False,
    ) -> None:
        """Begin a run; nothing is checked or started yet.

        Args:
            study: the settings.
            display: where progress is shown.
            refresh: train anew what is stored already.
            slots: workers of the caller's to use and leave running, for several runs in a
                row; default: own ones.
            owns_out: the folder of results is the caller's own, and may lie anywhere.
        """
        self.study, self.display, self.refresh = study, display, refresh
        self.records: dict[str, FoldRecord] = {}
        self.earlier: dict[str, FoldRecord] = {}
        self.failure: RunFailed | None = None
        self.scratch = make_scratch()
        self.remote = Remote(study.out) if is_remote(study.out) else None
        self.out = self.scratch / "out" if self.remote else Path(study.out).resolve()
        self.log = None if display.verbose else self.scratch / "libraries.log"
        self.notices: list[str] = []
        self.on_stop: Callable[[], None] = lambda: None
        self.on_end: Callable[[], None] = lambda: None
        self.result: Result | None = None
        self.flow_run = ""
        self.view: RunView | None = None
        self.service: Service | None = None
        self._slots, self._owns_slots = slots, slots is None
        self._owns_out = owns_out
        self._lock, self._begun, self._checked = threading.Lock(), False, False
        self._refusal: InputError | None = None
        self._host: Run | None = None
        self._lender: Run | None = None

    def borrow(self, host: "Run", lender: "Run | None") -> None:
        """Use what other runs hold, which must outlive this one.

        Args:
            host: the run whose service is used.
            lender: the run whose workers are used; None for own ones.
        """
        self._host, self._lender = host, lender
        self._owns_slots = lender is None

    def start_service(self) -> None:
        """Start what the run needs beside its workers, if that is known by now."""
        owner = self._host or self
        if owner.service is not None:
            owner.service.start(owner.scratch, owner.log, owner.display.say)

    def is_watched(self) -> bool:
        """Tell whether people can look at its Prefect server while it runs."""
        service = (self._host or self).service
        return service is None or not service.is_private()

    def begin(self) -> None:
        """Find what is wrong without a look at the data, then start what takes long to start.

        Raises:
            InputError: the first thing that is wrong; nothing was started.
        """
        if self._begun:
            return
        check_trust(self.study, with_out=not self._owns_out)
        check_source(self.study.data)
        self._check_out()
        self.display.status("reading the model's code")
        if self.identity and self.placement:
            self.start_service()
        self._begun = True
        if not self._store_has_folds():
            self.slots.warm_up()  # loads TensorFlow while the data is read

    def check(self) -> None:
        """Find everything else that is wrong about the input.

        Raises:
            InputError: the first thing that is.
        """
        if self._checked:
            return
        self.begin()
        check_class_weight(self.study.train, self.dataset.labels)
        check_early_stopping(self.study.train, self.dataset, self.plan)
        if self._on_cluster and self.metrics and self.plan:
            make_store(self.out)
            self.display.status("handing the data out to the nodes")
            self.slots.hand_out(self.study, self.dataset, self.plan)
        if self.remote is not None and self.metrics and self.plan:
            self.fetch_stored()
        if self.metrics and self.plan and self._missing():
            if self._refusal is not None:
                raise self._refusal
            self._note_ignored()
        for notice in (*self.dataset.notices, *self.identity.notices):
            self.tell(notice)
        make_store(self.out)
        mend(self.out / RUNS)
        remove_drafts(self.out / FOLDS)
        self._keep_record()
        self._checked = True

    def fetch_stored(self) -> None:
        """Get from object storage what is there of this run and not here."""
        if self.remote is not None:
            stores = [job.store for job in self.jobs]
            fetch_run(self.remote, stores, run_id(self.key), self.out)

    def _check_out(self) -> None:
        if self.remote is None:
            check_writable(self.out)
        else:
            self.remote.probe()

    def prepare_workers(self) -> None:
        """Let the workers compile the model while something else is waited for."""
        if self.identity.needs_tensorflow:
            self.slots.prepare(self._missing(), self.study.compute.fold_timeout)

    def _missing(self) -> list[FoldJob]:
        return [job for job in self.jobs if self.refresh or not job.store.exists()]

    @cached_property
    def identity(self) -> ModelIdentity:
        """What the model is made of."""
        return identify_model(self.study.model, self.study.train, self.display.step)

    @cached_property
    def model(self) -> ModelIdentity:
        """The same with the files that the builder opens; it is tried where they are not known."""
        return self.identity.with_files(self._opened.files)

    @cached_property
    def _opened(self) -> Opened:
        if not may_open_files(self.study.model.builder):
            return NOTHING
        if self.remote is not None:
            self.remote.fetch_if_there(self._record, self.out)
        try:
            return read_record(self.out / self._record) or self.model_facts.opened
        except InputError as error:  # said by `check`, if a fold has to be trained
            self._refusal = error
            return NOTHING

    @cached_property
    def _record(self) -> str:
        call = builder_call(self.study.model, self.dataset)
        return record_name(self.identity.described, call)

    def _keep_record(self) -> None:
        """Keep what the builder was seen to open, if it was tried."""
        if "model_facts" not in vars(self) or not may_open_files(self.study.model.builder):
            return
        with writing(f"out: what the builder opens, in {self.study.out!r}", GO_ON):
            write_record(self.model_facts.opened, self.out / self._record)
        if self.remote is not None:
            with sending(self.remote.uri):
                self.remote.send([self._record], self.out)

    @cached_property
    def placement(self) -> Placement:
        """The device slots and their numerics."""
        return self.slots.placement if self._on_cluster else place(self.study.compute)

    @cached_property
    def dataset(self) -> Dataset:
        """The samples, on disk."""
        folder = self._folder("data")
        source = self.study.data.source
        self.display.status("reading the data" + ("" if is_memory(source) else f", {source}"))
        with self._writing("the data"):
            made = prepare_data(self.study.data, self.study.split.fold_column, folder)
        self._introduce(made)
        return made

    def _introduce(self, dataset: Dataset) -> None:
        """Say how large the data is, and warn of a positive label that may be the wrong one."""
        shape = " x ".join(map(str, dataset.feature_shape))
        size = f"{dataset.rows} rows, {shape} features"
        self.display.tell(f"data: {size}; {classes_line(dataset.facts, MOST_CLASSES)}")
        line = positive_line(dataset.facts, self.chose_positive)
        if line.startswith(WARNING):
            self.display.warn(line)
        self.display.status(f"dividing {size} into folds")

    @property
    def chose_positive(self) -> bool:
        """Whether the user set which label is the positive one."""
        return self.study.data.positive is not None

    @cached_property
    def plan(self) -> FoldPlan:
        """The folds, checked."""
        arguments = (self.dataset, self.study.split, self.study.seed, self._folder("folds"))
        with self._writing("the rows of the folds"):
            if not is_own(self.study.split.method):
                return plan_folds(*arguments)
            return self._aside(worker.split_rows, self.study.split.method, *arguments, here())

    def _aside(self, function: Callable[..., FoldPlan], splitter: str, *arguments: Any) -> FoldPlan:
        """Call code of the user's in a process that does nothing else, whatever it imports.

        Raises:
            InputError: it ended that process.
        """
        alone = place(ComputeSpec(workers=1, device="cpu"))
        limit = self.study.compute.memory_limit
        slots = Slots(alone, False, self._folder("aside"), self.log, memory_limit=limit)
        try:
            made: FoldPlan = slots.slots[0].run(function, *arguments)
            return made
        except WorkerLost as error:
            problem = f"{splitter} ended the process that called it ({error})"
            raise InputError("split.method", f"{problem}; let it raise an error instead") from None
        finally:
            slots.slots[
                0
            ].end_idle_worker()  # first: it would start another process in place of a lost one
            slots.stop()

    def _folder(self, name: str) -> Path:
        folder = self.scratch / name
        folder.mkdir(exist_ok=True)
        return folder

    def _writing(self, what: str) -> contextlib.AbstractContextManager[None]:
        remedy = "make room there, or set TMPDIR to another folder"
        return writing(f"{what}, as arrays in {str(self.scratch.parent)!r},", remedy)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics."""
        return resolve_metrics(self.study.metrics, self.dataset.task, len(self.dataset.labels))

    @cached_property
    def jobs(self) -> tuple[FoldJob, ...]:
        """The folds' jobs, in the order of the plan."""
        numerics = self.placement.numerics
        return fold_jobs(self.study, self.dataset, self.plan, self.model, numerics, self.out)

    @cached_property
    def _by_key(self) -> dict[str, FoldJob]:
        return {job.key: job for job in self.jobs}

    def job(self, key: str) -> FoldJob:
        """Return the job of a fold's key."""
        return self._by_key[key]

    @cached_property
    def key(self) -> dict[str, Any]:
        """All that the report follows from."""
        parts = (self.dataset, self.plan, self.model, self.placement.numerics, self.metrics)
        return run_key(self.study, *parts)

    @property
    def slots(self) -> SlotPool:
        """The device slots; their fork server starts when they are first asked for."""
        with self._lock:
            if self._slots is None:
                self._slots = self._lender.slots if self._lender else self._own_slots()
                self.display.watch(self._slots.slots)
            return self._slots

    def _own_slots(self) -> SlotPool:
        needs = self.identity.needs_tensorflow
        limit = self.study.compute.memory_limit
        if not self._on_cluster:
            return Slots(self.placement, needs, self.scratch, self.log, memory_limit=limit)
        from foldproof.tasks.clusters.cluster_slots import ClusterSlots

        return ClusterSlots(self.study, needs, self.scratch, self.tell)

    @property
    def _on_cluster(self) -> bool:
        return self.study.compute.engine != "local"

    @cached_property
    def model_facts(self) -> ModelFacts:
        """Try the user's model once in a worker, and say what cannot train.

        Raises:
            InputError: with what is wrong about the builder, the model or the settings.
        """
        self.display.status("starting a worker and trying the model")
        numerics, one = self.placement.numerics, replace(self.plan, folds=self.plan.folds[:1])
        job = fold_jobs(self.study, self.dataset, one, self.identity, numerics, self.out)[0]
        weighted = (
            self.dataset.array(WEIGHTS) is not None or self.study.train.class_weight is not None
        )
        own = (self.scratch, *(ROOT / name for name in FOLDERS))
        unwatched = Unwatched(own, tuple(self.identity.described["sources"]))
        arguments = (job, weighted, self.identity.needs_tensorflow, unwatched)
        found, trace = self._in_a_worker(worker.inspect_model, job.builder.reference, *arguments)
        if isinstance(found, InputError):
            self.display.detail(trace)
            raise found
        facts: ModelFacts = found
        return facts

    def _note_ignored(self) -> None:
        for notice in self.model_facts.notices:
            self.tell(notice)
        if ignored := ignored_settings(self.study.train, self.model_facts):
            self.tell(ignored)

    def _in_a_worker(self, function: Callable[..., Any], builder: str, *arguments: Any) -> Any:
        """Call something of the user's in a worker; one that was dead before counts for nothing.

        Raises:
            InputError: it ended two workers.
        """
        slot = self.slots.lease()
        found: Any = (None, "")
        try:
            if self._lender is not None:
                # What another run's builder imported would not be opened again.
                slot.end_idle_worker()
            with contextlib.suppress(WorkerLost):
                found = slot.run(function, *arguments)
            if found[0] is None:
                found = slot.run(function, *arguments)
            return found
        except WorkerLost as error:
            problem = f"{builder} ended the worker process that called it ({error})"
            raise InputError("model.builder", problem) from None
        finally:
            if getattr(found[0], "saw_rows", True):
                # It had rows in its memory that are test rows of other folds.
                slot.end_idle_worker()
            self.slots.give_back(slot)

    def task_counts(self) -> dict[str, int]:
        """Return how many tasks its flow run has, by the flow run's id."""
        return {self.flow_run: len(self.jobs) + FLOW_TASKS}

    def tell(self, notice: str) -> None:
        """Keep a notice for the end, once."""
        if notice not in self.notices:
            self.notices.append(notice)

    def label(self, job: FoldJob) -> str:
        """Return a fold's name for people; it counts from 0, as in files and messages."""
        place = f"fold {job.fold} of {self.plan.per_repeat()}"
        return place if self.plan.repeats == 1 else f"{place}, repeat {job.repeat}"

    def abandon(self, error: BaseException) -> None:
        """Kill the workers; what is finished is stored.

        Args:
            error: why. A stop from outside has to be over in seconds.
        """
        if isinstance(error, Interrupted) or not isinstance(error, Exception):
            self.on_stop()
        if self._slots is not None:
            self._slots.stop()

    def close(self) -> None:
        """End all processes of the run and remove its folder."""
        self.display.stop()
        if self._slots is not None and self._owns_slots:
            self._slots.stop()
        if self.service is not None:
            self.service.stop()
        remove_scratch(self.scratch)

    def _store_has_folds(self) -> bool:
        if self.remote is not None:
            return bool(self.remote.names(FOLDS))
        folder = self.out / FOLDS
        return folder.is_dir() and any(name.endswith(".parquet") for name in os.listdir(folder))


def current_run() -> "Run | None":
    """Return the run that this flow call was launched for, if it was."""
    return _current.get()


@contextmanager
def current(run: Run) -> Iterator[Run]:
    """Make a run the current one."""
    token = _current.set(run)
    try:
        yield run
    finally:
        _current.reset(token)


@contextmanager
def launched(run: Run) -> Iterator[Run]:
    """Make a run the current one, and end its processes afterwards."""
    try:
        with current(run):
            yield run
    finally:
        run.close()
