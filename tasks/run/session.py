"""One run while it lasts: its workers, its service, its records, its notices.

What it computes is in `plan.py`. The steps of a run in their order: `begin` refuses wrong
settings and starts what takes long to start, `load_data` and `split_rows` do what they say,
`check_model` tries the model; then folds are trained (`fold_retries.py`).
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

from foldproof.tasks.common.digest import digest_json
from foldproof.tasks.common.errors import InputError, Interrupted, RunFailed
from foldproof.tasks.common.inputs import shown_shapes
from foldproof.tasks.config.import_paths import import_paths_in
from foldproof.tasks.config.study import Study
from foldproof.tasks.data.class_weights import (
    check_class_weight,
    check_sampler,
    check_target_scaler,
)
from foldproof.tasks.data.dataset import WEIGHTS, Dataset
from foldproof.tasks.data.sources.choose import shown
from foldproof.tasks.data.sources.read import check_source
from foldproof.tasks.data.target_facts import (
    MAX_LISTED_CLASSES,
    WARNING,
    TargetFacts,
    classes_line,
    positive_line,
)
from foldproof.tasks.folds.job import FoldJob, FoldRecord, ModelFacts
from foldproof.tasks.folds.keys import run_id
from foldproof.tasks.folds.paths import FOLDS, RUNS, is_remote
from foldproof.tasks.folds.split.plan import FoldPlan
from foldproof.tasks.folds.split.splitters import is_user_splitter
from foldproof.tasks.machine.devices import Placement
from foldproof.tasks.report.finished import FinishedRun
from foldproof.tasks.report.index import update_index
from foldproof.tasks.report.result import Result
from foldproof.tasks.run.allowlist import check_trust
from foldproof.tasks.run.known_trials import TrialMemory, records_for
from foldproof.tasks.run.model_trial import keep_opened, try_model
from foldproof.tasks.run.plan import RunPlan
from foldproof.tasks.run.preflight import check_early_stopping, check_writable, ignored_settings
from foldproof.tasks.run.protocols import RunView, Service
from foldproof.tasks.run.stored_lookup import StoredLookup
from foldproof.tasks.run.user_calls import split_in_own_process
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.atomic_folders import repair_folders
from foldproof.tasks.store.drafts import remove_drafts
from foldproof.tasks.store.fold_file import make_store
from foldproof.tasks.store.object_storage import Remote, download_run
from foldproof.tasks.store.scratch import make_scratch, remove_scratch
from foldproof.tasks.training.trial_records import TrialRecords
from foldproof.tasks.user_code.opened_files.record import read_record
from foldproof.tasks.user_code.opened_files.watch import NOTHING, OpenedFiles
from foldproof.tasks.user_code.references import library_modules
from foldproof.tasks.user_code.search_path import import_folders, start_folder
from foldproof.tasks.workers import in_worker
from foldproof.tasks.workers.protocol import SlotPool
from foldproof.tasks.workers.slots import Slots

UNSCALED = "pixels stay as they are, 0 to 255; for others: --train.scaler minmax"


class Run(RunPlan):
    """A cross-validation from its settings to its records.

    Attributes:
        display: where progress is shown.
        refresh: train anew what is stored already.
        remote: the object storage of the results, if it is not a folder.
        records: what became of each fold so far, by key.
        earlier: what was stored of folds that are trained anew.
        failure: why no fold can be finished any more, if that is so.
        on_stop: called when the run is stopped before its end.
        on_end: called when the flow's body has ended.
        result: what the run came to, once the report is there.
        view: what shows it in Prefect, while the flow runs.
        service: what it needs beside its workers, such as a Prefect server.
        is_compared: is one of a comparison's, whose workers serve several models.
        keeps: leaves what took seconds to start to the next call or command in this process.
    """

    def __init__(
        self,
        study: Study,
        display: Display,
        refresh: bool = False,
        slots: SlotPool | None = None,
        owns_out: bool = False,
        keep: bool = False,
    ) -> None:
        """Create a run; nothing is checked or started yet.

        Args:
            study: the settings.
            display: where progress is shown.
            refresh: train anew what is stored already.
            slots: workers of the caller's to use and leave running, for several runs in a
                row; default: own ones.
            owns_out: the folder of results is the caller's own, and may lie anywhere.
            keep: leave what took seconds to start to the next call in this process.
        """
        scratch = make_scratch()
        self.remote = Remote(study.out) if is_remote(study.out) else None
        out = scratch / "out" if self.remote else Path(study.out).resolve()
        super().__init__(study, out, scratch)
        self.display, self.refresh = display, refresh
        self.records: dict[str, FoldRecord] = {}
        self.earlier: dict[str, FoldRecord] = {}
        self.failure: RunFailed | None = None
        self.log = None if display.verbose else self.scratch / "libraries.log"
        self.notices: list[str] = []
        self.on_stop: Callable[[], None] = lambda: None
        self.on_end: Callable[[], None] = lambda: None
        self.result: Result | None = None
        self.view: RunView | None = None
        self.service: Service | None = None
        self._slots, self._owns_slots = slots, slots is None
        self._owns_out, self.keeps = owns_out, keep
        self._lock, self._begun, self._checked = threading.Lock(), False, False
        self._checked_settings = False
        self._refusal: InputError | None = None
        self._stored = StoredLookup(self.remote)
        if self.leaves_pixels:
            self.tell(UNSCALED)
        self._service_of: Run | None = None
        self._workers_of: Run | None = None
        self.is_compared = False

    def share_processes(self, host: "Run", lender: "Run | None") -> None:
        """Share service and workers with other runs of a comparison, which must outlive this one.

        Args:
            host: the run whose service is used.
            lender: the run whose workers are used; None for own ones.
        """
        self._service_of, self._workers_of = host, lender
        self.is_compared = host.is_compared = True
        self._owns_slots = lender is None

    def start_service(self) -> None:
        """Start the background service of the run, if its type is known by now."""
        owner = self._service_of or self
        if owner.service is not None:
            owner.service.start(owner.scratch, owner.log, owner.display.say)

    def is_watched(self) -> bool:
        """Return whether people can look at the run in a Prefect UI."""
        service = (self._service_of or self).service
        return service is None or not service.is_private()

    def begin(self) -> None:
        """Validate the settings, then start the processes that take seconds to start.

        Raises:
            InputError: the first thing that is wrong; nothing was started.
        """
        if self._begun:
            return
        self._check_settings()
        if self.identity and self.placement:
            self.start_service()
        self._begun = True
        if self.refresh or not self._stored.may_hold_all_folds(self):
            self.slots.warm_up()  # loads TensorFlow while the data is read

    def stored_result(self) -> Result | None:
        """Return the result of an earlier run of the same request, if its report is intact.

        Nothing is started for that, and the data is not read.

        Raises:
            InputError: the first thing that is wrong about the settings.
        """
        self._check_settings()
        found = None if self.refresh or self._on_cluster else self._stored.result(self)
        if found is None:
            return None
        report = FinishedRun.read(found.path)
        data = report.key["data"]
        if report.facts is not None:
            self._show_data_summary(data["rows"], data["feature_shape"], report.facts)
        self.display.release()
        self.display.say(f"all {found.n_folds} folds are stored, and so is their report")
        update_index(self.out, found.path)
        self.result = found
        return found

    def _check_settings(self) -> None:
        if self._checked_settings:
            return
        check_trust(self.study, with_out=not self._owns_out)
        check_source(self.study.data)
        self._check_out()
        self.display.status("reading the model's code")
        self._checked_settings = True

    def check(self) -> None:
        """Run all steps that come before the first fold: they find all wrong input.

        Raises:
            InputError: the first thing that is.
        """
        self.begin()
        self.load_data()
        self.split_rows()
        self.check_model()

    def read(self) -> Dataset:
        """Read the source and show its size and labels.

        Raises:
            InputError: the source, or a value in it, is not usable.
        """
        if "dataset" not in vars(self):
            self.display.status(
                ", ".join(filter(None, ("reading the data", shown(self.study.data.source))))
            )
            with ThreadPoolExecutor(1) as beside:  # hashing needs neither this thread nor its lock
                noting = beside.submit(self._stored.note_source, self)
                found = self.dataset
                self._show_data_summary(found.rows, found.feature_shape, found.facts)
                noting.result()
        return self.dataset

    def load_data(self) -> Dataset:
        """Read the source, and check what the settings say of it.

        Raises:
            InputError: the source, a value in it, or a setting is not usable.
        """
        dataset = self.read()
        check_class_weight(self.study.train, dataset.labels, dataset.task)
        check_target_scaler(self.study.train, dataset.task)
        weighted = dataset.array(WEIGHTS) is not None
        check_sampler(self.study.train, dataset.labels, weighted, dataset.task)
        _ = self.metrics
        return dataset

    def split_rows(self) -> FoldPlan:
        """Split the rows into folds, and check the inner split of early stopping for each.

        Raises:
            InputError: they cannot be divided so.
        """
        size = _size(self.dataset.rows, self.dataset.feature_shape)
        self.display.status(f"dividing {size} into folds")
        check_early_stopping(self.study.train, self.dataset, self.plan, self.study.split.gap)
        return self.plan

    def check_model(self) -> None:
        """Prepare the store, and try the model if any fold has to be trained; once.

        Raises:
            InputError: the model cannot be trained.
        """
        if self._checked:
            return
        if self._on_cluster:
            make_store(self.out)
            self.display.status("handing the data out to the nodes")
            self.slots.hand_out(self.study, self.dataset, self.plan)
        self.fetch_stored()
        if self._missing():
            if self._refusal is not None:
                raise self._refusal
            if self.refresh and self.trial_records:
                self.trial_records.forget(self.jobs[0].family)
            self._warn_of_ignored_settings()
            self.slots.adopt(self._purpose())
        said = (*self.dataset.notices, *self.plan.notices, *self.identity.notices)
        for notice in (*said, self.placement.notice):
            if notice:
                self.tell(notice)
        make_store(self.out)
        repair_folders(self.out / RUNS)
        remove_drafts(self.out / FOLDS)
        if "model_facts" in vars(self):
            keep_opened(self, self.model_facts.opened, self.remote)
        self._checked = True

    def fetch_stored(self) -> None:
        """Download stored folds and reports of this run from object storage."""
        if self.remote is not None:
            stores = [job.store for job in self.jobs]
            download_run(self.remote, stores, run_id(self.key), self.out)

    def _check_out(self) -> None:
        if self.remote is None:
            check_writable(self.out)
        else:
            self.remote.probe()

    def prepare_workers(self) -> None:
        """Compile the model in the workers in the background."""
        missing = self._missing() if self.identity.needs_tensorflow else []
        if missing:
            self.slots.prepare(missing, self.study.compute.fold_timeout, self.trial_records)

    def _missing(self) -> list[FoldJob]:
        return [job for job in self.jobs if self.refresh or not job.store.exists()]

    def _find_opened(self) -> OpenedFiles:
        """Return the files that the builder opens, from its record or else from a trial build."""
        if self.remote is not None:
            self.remote.fetch_if_there(self.record, self.out)
        try:
            return read_record(self.out / self.record) or self.model_facts.opened
        except InputError as error:  # said by `check_model`, if a fold has to be trained
            self._refusal = error
            return NOTHING

    def _show_data_summary(self, rows: int, shape: Any, facts: TargetFacts) -> None:
        """Show size and labels of the data, and warn of a positive label that may be wrong."""
        classes = classes_line(facts, MAX_LISTED_CLASSES)
        self.display.tell(f"data: {_size(rows, shape)}; {classes}")
        line = positive_line(facts, self.chose_positive)
        if line.startswith(WARNING):
            self.display.warn(line)

    def _divide(self, folder: Path) -> FoldPlan:
        if not is_user_splitter(self.study.split.method):
            return super()._divide(folder)
        return split_in_own_process(
            in_worker.split_rows,
            self.study.split.method,
            *(self.dataset, self.study.split, self.study.seed, folder, import_folders()),
            scratch=self._folder("aside"),
            log=self.log,
            memory_limit=self.study.compute.memory_limit,
        )

    def _say_step(self, text: str) -> None:
        self.display.step(text)

    @cached_property
    def placement(self) -> Placement:
        """The device slots and their numerics."""
        return self.slots.placement if self._on_cluster else super().placement

    @property
    def slots(self) -> SlotPool:
        """The device slots; their host starts when they are first asked for."""
        with self._lock:
            if self._slots is None:
                self._slots = self._workers_of.slots if self._workers_of else self._own_slots()
                self.display.watch(self._slots.slots)
            return self._slots

    def _own_slots(self) -> SlotPool:
        needs = self.identity.needs_tensorflow
        limit = self.study.compute.memory_limit
        if not self._on_cluster:
            given = (self.placement, needs, self.scratch, self.log)
            needed = (self.study.model.builder, self.identity.described["sources"])
            return Slots(
                *given, memory_limit=limit, keep=self.keeps, libraries=library_modules(*needed)
            )
        from foldproof.tasks.clusters.cluster_slots import ClusterSlots

        return ClusterSlots(self.study, needs, self.scratch, self.tell)

    @property
    def _on_cluster(self) -> bool:
        return self.study.compute.engine != "local"

    @cached_property
    def model_facts(self) -> ModelFacts:
        """Return facts about the user's model, from a trial build in a worker.

        Raises:
            InputError: with what is wrong about the builder, the model or the settings.
        """
        memory = TrialMemory(self.keeps, self.refresh, self._trial_records)
        fresh = self._workers_of is not None
        return try_model(self, lambda: self.slots, self.display, memory, fresh)

    @cached_property
    def trial_records(self) -> TrialRecords | None:
        """The records of trials in the folder of results, if any are kept there."""
        return self._trial_records(self.opened)

    def _trial_records(self, opened: OpenedFiles) -> TrialRecords | None:
        """Return the records of trials of a builder that opens these files."""
        if self._on_cluster or self._owns_out or self.remote is not None:
            return None
        return records_for(self.out, opened)

    def _purpose(self) -> str:
        """Return a digest of the code that its workers have in hand, or nothing.

        Parameters, data and seeds may differ: folds of several models in one worker are what a
        comparison has, too. Its workers serve several builders, and no call after it.
        """
        if self.is_compared:
            return ""
        code = {name: self.identity.described[name] for name in ("builder", "function", "sources")}
        named = import_paths_in(self.study.train, "train").values()
        own = (self.study.train.scaler, self.study.split.method, *named)
        own = (*own, str(self.study.data.preprocess))
        limit = self.study.compute.memory_limit
        return digest_json([code, own, import_folders(), str(start_folder()), limit])

    def _warn_of_ignored_settings(self) -> None:
        for notice in self.model_facts.notices:
            self.tell(notice)
        if ignored := ignored_settings(self.study.train, self.model_facts):
            self.tell(ignored)

    def tell(self, notice: str) -> None:
        """Add a notice that is shown at the end, once."""
        if notice not in self.notices:
            self.notices.append(notice)

    def abort(self, error: BaseException) -> None:
        """Kill the workers after an error or a stop; finished folds are stored.

        Args:
            error: why. A stop from outside has to be over in seconds.
        """
        if isinstance(error, Interrupted) or not isinstance(error, Exception):
            self.on_stop()
        if self._slots is not None:
            self._slots.stop()

    def close(self) -> None:
        """Stop all processes of the run and remove its scratch folder."""
        self.display.stop()
        if self._slots is not None and self._owns_slots:
            went_well = self.keeps and self.result is not None
            (self._slots.release if went_well else self._slots.stop)()
        if self.service is not None:
            (self.service.release if self.keeps else self.service.stop)()
        remove_scratch(self.scratch)

    def save_source_record(self) -> None:
        """Write the record that maps the source's bytes to the data's digest."""
        self._stored.keep_source(self)


def _size(rows: int, shape: Any) -> str:
    return f"{rows} rows, {shown_shapes(shape)} features"
