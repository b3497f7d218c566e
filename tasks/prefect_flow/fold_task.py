"""Submit one Prefect task a fold; each leases a device slot and waits for its worker to train.

Prefect never tries a task again: retries are in `run/fold_retries.py`.
"""

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from prefect import State, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Cancelled, Completed, Failed

from foldproof.tasks.common.errors import Interrupted, RunFailed
from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.folds.split.plan import FoldPlan
from foldproof.tasks.prefect_flow.task_counts import count_task
from foldproof.tasks.prefect_server.prefect_internals import state_behind, tag_task_run
from foldproof.tasks.run.fold_retries import (
    compare_with_earlier,
    reuse_stored,
    train_or_wait,
    train_without_prefect,
)
from foldproof.tasks.run.session import Run
from foldproof.tasks.workers.drift import drift_warnings
from foldproof.tasks.workers.protocol import WorkerSlot

MAX_STORED_TASKS = 16  # stored folds under way in Prefect; each has a thread
MAX_GRAPH_FOLDS = 500  # folds that Prefect's graph connects with what comes after


@task(name="train_fold", task_run_name="{label}", cache_policy=NO_CACHE, persist_result=False)
def await_fold(label: str, key: str, run: Run, slot: WorkerSlot | None) -> Any:
    """Wait, as the Prefect task of one fold, until its slot's worker has trained it."""
    if slot is not None:
        tag_task_run(slot.name)
    try:
        record = _record_of(run, key, slot)
    except RunFailed as error:
        run.failure = run.failure or error
        return Failed(message=str(error))
    except Interrupted as stop:
        return Cancelled(message=str(stop))  # neither done nor failed
    run.records[key] = record
    # What comes after is drawn behind the folds, as their records are the data of their states.
    data = record if len(run.jobs) <= MAX_GRAPH_FOLDS else key
    if record.error is not None:
        return Failed(message=record.error, data=data)
    name = "Cached" if record.cached else "Completed"
    said = "from the store" if record.cached else f"trained on {record.slot}"
    weights = f", weights {record.weights[:12]}" if record.weights else ""
    return Completed(name=name, message=said + weights, data=data)


def train_folds(run: Run, plan: FoldPlan) -> Sequence[FoldRecord]:
    """Try the model, then train what is not stored, as many folds at a time as there are slots.

    Returns:
        One record a fold, in the order of the plan.

    Raises:
        InputError: the model cannot be trained.
        BaseException: what stopped the run; all workers are gone then.
    """
    run.check_model()
    run.display.start(len(plan.folds))
    try:
        stored = [job for job in run.jobs if reuse_stored(run, job)]
        missing = [job for job in run.jobs if job.key not in run.records]
        under_way: set[Any] = set()  # futures that are done are forgotten, for memory's sake
        room = threading.Semaphore(MAX_STORED_TASKS)
        for job in stored:
            room.acquire()
            _submit(run, job, None, under_way, room.release)
        for job in missing:
            slot = run.slots.lease()
            _raise_run_failure(run)
            _submit(run, job, slot, under_way, partial(run.slots.give_back, slot))
        for future in tuple(under_way):
            future.wait()
        _raise_run_failure(run)
        for job in missing:
            if job.key not in run.records:  # Prefect could not run it; the fold still counts
                run.records[job.key] = train_without_prefect(run, job)
    except BaseException as error:
        run.abort(error)
        raise
    compare_with_earlier(run)
    rows = {job.key: fold.n_train for job, fold in zip(run.jobs, plan.folds, strict=True)}
    for warning in drift_warnings(list(run.records.values()), rows):
        run.tell(warning)
    return [run.records[job.key] for job in run.jobs]


def _raise_run_failure(run: Run) -> None:
    """Raise what keeps every fold from being finished, such as a full disk, if anything does."""
    if run.failure is not None:
        raise run.failure


def _record_of(run: Run, key: str, slot: WorkerSlot | None) -> FoldRecord:
    """Return a fold's stored record, or train it while the task run shows output and progress."""
    known = run.records.get(key)
    if known is not None:
        return known
    assert slot is not None  # only stored folds come without one
    job = run.job(key)
    train = partial(train_or_wait, run, job, slot)
    return train() if run.view is None else run.view.follow(job, slot.progress_path, train)


def _submit(
    run: Run,
    job: FoldJob,
    slot: WorkerSlot | None,
    under_way: set[Any],
    make_room: Callable[[], None],
) -> None:
    options: Any = {"wait_for": _split_of(run.plan)}
    count_task()
    future = await_fold.submit(run.label(job), job.key, run, slot, **options)
    under_way.add(future)

    def done(_: Any) -> None:
        under_way.discard(future)
        make_room()

    future.add_done_callback(done)


def _split_of(plan: FoldPlan) -> list[State]:
    """Return the state of the task that the folds come from, for Prefect's graph."""
    found = state_behind(plan)  # without its data, which Prefect would ask for
    return [] if found is None else [Completed(data=True, state_details=found.state_details)]
