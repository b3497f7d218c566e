"""Fan the folds out: each leases a device slot, trains there, and is stored when it is done."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from prefect import State, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Cancelled, Completed, Failed

from foldproof.tasks.common.errors import FoldTimeout, Interrupted, RunFailed, WorkerLost
from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.folds.paths import FOLDS
from foldproof.tasks.folds.plan import FoldPlan
from foldproof.tasks.prefect_flow.prefect_internals import state_behind, tag_task_run
from foldproof.tasks.run.session import Run
from foldproof.tasks.store.disk_errors import GO_ON, writing
from foldproof.tasks.store.fold_file import DamagedFold, put_aside
from foldproof.tasks.store.locks import fold_lock
from foldproof.tasks.store.object_storage import Remote
from foldproof.tasks.workers import calls as worker
from foldproof.tasks.workers.drift import drift_warnings
from foldproof.tasks.workers.slot import Slot

STORED_AT_ONCE = 16  # stored folds under way in Prefect; each has a thread
MOST_DRAWN = 500  # folds that Prefect's graph connects with what comes after
SHORT = 0.5  # seconds of a fold that is over before the next one is under way


@task(task_run_name="{label}", cache_policy=NO_CACHE, persist_result=False)
def train_fold(label: str, key: str, run: Run, slot: Slot | None) -> Any:
    """Train one fold on a leased slot; stored ones show as cached, stopped ones as cancelled."""
    if slot is not None:
        tag_task_run(slot.name)
    try:
        record = run.records.get(key) or _follow(run, run.job(key), slot)
    except RunFailed as error:
        run.failure = run.failure or error
        return Failed(message=str(error))
    except Interrupted as stop:
        return Cancelled(message=str(stop))  # neither done nor failed
    run.records[key] = record
    # What comes after is drawn behind the folds, as their records are the data of their states.
    data = record if len(run.jobs) <= MOST_DRAWN else key
    if record.error is not None:
        return Failed(message=record.error, data=data)
    name = "Cached" if record.cached else "Completed"
    said = "from the store" if record.cached else f"trained on {record.slot}"
    weights = f", weights {record.weights[:12]}" if record.weights else ""
    return Completed(name=name, message=said + weights, data=data)


def train_folds(run: Run, plan: FoldPlan) -> Sequence[FoldRecord]:
    """Train what is not stored, as many folds at a time as there are slots.

    Returns:
        One record a fold, in the order of the plan.

    Raises:
        BaseException: what stopped the run; all workers are gone then.
    """
    run.display.start(len(plan.folds))
    try:
        stored = [job for job in run.jobs if _reuse(run, job)]
        missing = [job for job in run.jobs if job.key not in run.records]
        under_way: set[Any] = set()  # futures that are done are forgotten, for memory's sake
        room = threading.Semaphore(STORED_AT_ONCE)
        for job in stored:
            room.acquire()
            _submit(run, job, None, under_way, room.release)
        for job in missing:
            slot = run.slots.lease()
            _stop_if_hopeless(run)
            _submit(run, job, slot, under_way, partial(run.slots.give_back, slot))
        for future in tuple(under_way):
            future.wait()
        _stop_if_hopeless(run)
        for job in missing:
            if job.key not in run.records:  # Prefect could not run it; the fold still counts
                run.records[job.key] = train_here(run, job)
    except BaseException as error:
        run.abandon(error)
        raise
    _compare_with_earlier(run)
    rows = {job.key: fold.n_train for job, fold in zip(run.jobs, plan.folds, strict=True)}
    for warning in drift_warnings(list(run.records.values()), rows):
        run.tell(warning)
    return [run.records[job.key] for job in run.jobs]


def _stop_if_hopeless(run: Run) -> None:
    """End the run where no fold can be finished, such as on a full disk."""
    if run.failure is not None:
        raise run.failure


def train_here(run: Run, job: FoldJob) -> FoldRecord:
    """Train one fold without Prefect, stored or not."""
    slot = run.slots.lease()
    try:
        with fold_lock(job.store, run.slots.stopped):
            return train_with_retries(run, job, slot)
    finally:
        run.slots.give_back(slot)


def _follow(run: Run, job: FoldJob, slot: Slot | None) -> FoldRecord:
    """Train a fold, its output and progress on its task run."""

    def train() -> FoldRecord:
        return _train_or_wait(run, job, slot)

    if run.view is None or slot is None:
        return train()
    record: FoldRecord = run.view.follow(job, slot.progress_path, train)
    return record


def _train_or_wait(run: Run, job: FoldJob, slot: Slot | None) -> FoldRecord:
    """Train a fold, unless another run on the same store is at it: then take what it stores."""
    with fold_lock(job.store, run.slots.stopped):
        if not run.refresh and _reuse(run, job):
            return run.records[job.key]
        return train_with_retries(run, job, slot)


def train_with_retries(run: Run, job: FoldJob, slot: Slot | None) -> FoldRecord:
    """Train a fold; a lost worker costs one try, an error of the user's code ends it.

    Raises:
        Interrupted: the run was stopped.
    """
    assert slot is not None  # only stored folds have none, and those are not trained
    compute, tensorflow = run.study.compute, run.identity.needs_tensorflow
    record = FoldRecord(job.key, job.repeat, job.fold, slot=slot.name)
    started, tried = time.perf_counter(), job
    for attempt in range(1, compute.retries + 2):
        place = (slot.name, slot.progress_path, compute.memory_limit)
        try:
            record = slot.run(
                worker.train_fold, tried, tensorflow, attempt, *place, timeout=compute.fold_timeout
            )
        except (WorkerLost, FoldTimeout) as error:
            if run.slots.stopped.is_set():
                raise Interrupted("the run was stopped") from None
            record = replace(record, error=f"{error}{_tries(attempt)}", attempt=attempt)
            continue
        if not record.lost:
            break
        record = replace(record, error=f"{record.error}{_tries(attempt)}")
        tried = _in_little_memory(job)
    slot.watch(record.memory, worker.prepare_fold, job, tensorflow)
    if record.notice:
        run.tell(f"folds trained as plain Keras, which is slower: {record.notice}")
    if time.perf_counter() - started < SHORT:
        run.slots.queue_ahead()
    run.display.fold_done(record)
    return record


def _in_little_memory(job: FoldJob) -> FoldJob:
    """Let a fold train as plain Keras does, which gives the same bits and keeps one model."""
    if job.train.engine != "auto":
        return job
    return replace(job, train=job.train.model_copy(update={"engine": "plain"}))


def _tries(attempt: int) -> str:
    return ", in its one try" if attempt == 1 else f", in each of {attempt} tries"


def _submit(
    run: Run, job: FoldJob, slot: Slot | None, under_way: set[Any], make_room: Callable[[], None]
) -> None:
    options: Any = {"wait_for": _split_of(run.plan)}
    future = train_fold.submit(run.label(job), job.key, run, slot, **options)
    under_way.add(future)

    def done(_: Any) -> None:
        under_way.discard(future)
        make_room()

    future.add_done_callback(done)


def _split_of(plan: FoldPlan) -> list[State]:
    """Return the state of the task that the folds come from, for Prefect's graph."""
    found = state_behind(plan)  # without its data, which Prefect would ask for
    return [] if found is None else [Completed(data=True, state_details=found.state_details)]


def _reuse(run: Run, job: FoldJob) -> bool:
    """Take a fold from the store, unless it is damaged or to be refreshed."""
    try:
        record = worker.read_stored(job)
    except DamagedFold as error:
        with writing(f"out: {job.store.name}, which is damaged, put aside", GO_ON):
            aside = put_aside(job.store)
        if job.remote:
            Remote(job.remote).send([f"{FOLDS}/{aside.name}"], job.out)
        run.tell(f"{error}; it was put aside as {aside.name} and is trained again")
        return False
    if record is None:
        return False
    if run.refresh:
        run.earlier[job.key] = record
        return False
    run.records[job.key] = record
    run.display.fold_done(record)
    return True


def _compare_with_earlier(run: Run) -> None:
    """Say whether folds that were trained anew gave what was stored before."""
    digests = ("initial", "weights", "predictions")
    differ = [
        f"{old.repeat}/{old.fold}"
        for key, old in run.earlier.items()
        if any(getattr(old, name) != getattr(run.records[key], name) for name in digests)
    ]
    if differ:
        run.tell(f"trained anew, these folds differ from what was stored: {', '.join(differ)}")
    elif run.earlier:
        run.tell(f"trained anew, all {len(run.earlier)} stored folds came back bit for bit")
