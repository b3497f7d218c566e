"""Fan the folds out: each leases a device slot, trains there, and is stored when it is done."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from tasks import worker
from tasks.errors import FoldTimeout, Interrupted, WorkerLost
from tasks.folds import FoldPlan
from tasks.jobs import FoldJob, FoldRecord
from tasks.run import Run
from tasks.store import DamagedFold, put_aside
from tasks.workers import Slot


@task(task_run_name="{label}", cache_policy=NO_CACHE, persist_result=False)
def train_fold(label: str, key: str, run: Run, slot: Slot | None) -> Any:
    """Train one fold on a leased slot; a stored one shows as cached, a failed one as failed."""
    job = run.job(key)
    record = run.records.get(key) or train_with_retries(run, job, slot)
    run.records[key] = record
    if record.error is not None:
        return Failed(message=record.error)
    name = "Cached" if record.cached else "Completed"
    return Completed(name=name, message=f"weights {(record.weights or '')[:12]}", data=key)


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
        if missing:
            run.slots.warm_up(len(missing))
        under_way: set[Any] = set()  # futures that are done are forgotten, for memory's sake
        for job in stored:
            _submit(run, job, None, under_way)
        for job in missing:
            _submit(run, job, run.slots.lease(), under_way)
        for future in tuple(under_way):
            future.wait()
        for job in missing:
            if job.key not in run.records:  # Prefect could not run it; the fold still counts
                run.records[job.key] = train_here(run, job)
    except BaseException:
        run.abandon()
        raise
    return [run.records[job.key] for job in run.jobs]


def train_here(run: Run, job: FoldJob) -> FoldRecord:
    """Train one fold without Prefect."""
    slot = run.slots.lease()
    try:
        return train_with_retries(run, job, slot)
    finally:
        run.slots.give_back(slot)


def train_with_retries(run: Run, job: FoldJob, slot: Slot | None) -> FoldRecord:
    """Train a fold; a lost worker costs one try, an error of the user's code ends it.

    Raises:
        Interrupted: the run was stopped.
    """
    assert slot is not None  # only stored folds have none, and those are not trained
    compute, tensorflow = run.study.compute, run.identity.needs_tensorflow
    record = FoldRecord(job.key, job.repeat, job.fold, slot=slot.name)
    for attempt in range(1, compute.retries + 2):
        arguments = (job, tensorflow, attempt, slot.name, slot.progress_path)
        try:
            record = slot.run(worker.train_fold, *arguments, timeout=compute.fold_timeout)
        except (WorkerLost, FoldTimeout) as error:
            if run.slots.stopped.is_set():
                raise Interrupted("the run was stopped") from None
            record = replace(record, error=f"{error}, {attempt} times", attempt=attempt)
            continue
        if not record.lost:
            break
    if record.notice:
        run.tell(f"folds trained as plain Keras, which is slower: {record.notice}")
    run.display.fold_done(record)
    return record


def _submit(run: Run, job: FoldJob, slot: Slot | None, under_way: set[Any]) -> None:
    tagged = _tagged(slot.name) if slot else train_fold
    future = tagged.submit(run.label(job), job.key, run, slot)
    under_way.add(future)

    def done(_: Any) -> None:
        under_way.discard(future)
        if slot is not None:
            run.slots.give_back(slot)

    future.add_done_callback(done)


@cache
def _tagged(name: str) -> Any:
    """Return the task with a device's tag; making one reads the source, which takes long."""
    return train_fold.with_options(tags=[name])


def _reuse(run: Run, job: FoldJob) -> bool:
    """Take a fold from the store, unless it is damaged or to be refreshed."""
    if run.refresh:
        return False
    try:
        record = worker.stored(job)
    except DamagedFold as error:
        aside = put_aside(job.store)
        run.tell(f"{error}; it was put aside as {aside.name} and is trained again")
        return False
    if record is not None:
        run.records[job.key] = record
        run.display.fold_done(record)
    return record is not None
