"""Train the folds of a run, without Prefect: reuse what is stored, retry what was lost, compare."""

import time
from dataclasses import replace

from foldproof.tasks.common.errors import FoldTimeout, Interrupted, WorkerLost
from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.folds.paths import FOLDS
from foldproof.tasks.run.session import Run
from foldproof.tasks.store.disk_errors import RERUN_REMEDY, disk_errors_as_run_failed
from foldproof.tasks.store.fold_file import DamagedFold, put_aside
from foldproof.tasks.store.locks import fold_lock
from foldproof.tasks.store.object_storage import Remote
from foldproof.tasks.workers import in_worker
from foldproof.tasks.workers.protocol import WorkerSlot

SHORT_FOLD_S = 0.5  # a fold of less is over before the next one is under way


def train_without_prefect(run: Run, job: FoldJob) -> FoldRecord:
    """Train one fold, stored or not, without a Prefect task that waits for it."""
    slot = run.slots.lease()
    try:
        with fold_lock(job.store, run.slots.stopped):
            return train_with_retries(run, job, slot)
    finally:
        run.slots.give_back(slot)


def train_or_wait(run: Run, job: FoldJob, slot: WorkerSlot) -> FoldRecord:
    """Train a fold under its lock in the store; if another run trains it, take its result."""
    with fold_lock(job.store, run.slots.stopped):
        if not run.refresh and reuse_stored(run, job):
            return run.records[job.key]
        return train_with_retries(run, job, slot)


def train_with_retries(run: Run, job: FoldJob, slot: WorkerSlot) -> FoldRecord:
    """Train a fold, with retries for lost workers; an error of the user's code is final.

    Raises:
        Interrupted: the run was stopped.
    """
    compute, tensorflow = run.study.compute, run.identity.needs_tensorflow
    record = FoldRecord(job.key, job.repeat, job.fold, slot=slot.name)
    started, tried = time.perf_counter(), job
    for attempt in range(1, compute.retries + 2):
        place = (slot.name, slot.progress_path, compute.memory_limit, run.trial_records)
        try:
            record = slot.run(
                in_worker.train_and_store_fold,
                tried,
                tensorflow,
                attempt,
                *place,
                timeout=compute.fold_timeout,
            )
        except (WorkerLost, FoldTimeout) as error:
            if run.slots.stopped.is_set():
                raise Interrupted("the run was stopped") from None
            record = replace(record, error=f"{error}{_attempts_text(attempt)}", attempt=attempt)
            continue
        if not record.lost:
            break
        record = replace(record, error=f"{record.error}{_attempts_text(attempt)}")
        tried = _with_plain_engine(job)
    slot.watch(record.memory, in_worker.compile_ahead, job, tensorflow, run.trial_records)
    if record.notice:
        run.tell(f"folds trained as plain Keras, which is slower: {record.notice}")
    if time.perf_counter() - started < SHORT_FOLD_S:
        run.slots.queue_ahead()
    run.display.fold_done(record)
    return record


def _with_plain_engine(job: FoldJob) -> FoldJob:
    """Return the job with engine plain, which gives the same bits in less memory."""
    if job.train.engine != "auto":
        return job
    return replace(job, train=job.train.model_copy(update={"engine": "plain"}))


def _attempts_text(attempt: int) -> str:
    return ", in its one try" if attempt == 1 else f", in each of {attempt} tries"


def reuse_stored(run: Run, job: FoldJob) -> bool:
    """Take a fold from the store, unless it is damaged or to be refreshed."""
    try:
        record = in_worker.read_stored(job)
    except DamagedFold as error:
        with disk_errors_as_run_failed(
            f"out: {job.store.name}, which is damaged, put aside", RERUN_REMEDY
        ):
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


def compare_with_earlier(run: Run) -> None:
    """Compare refreshed folds with what was stored, and add a notice of the outcome."""
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
