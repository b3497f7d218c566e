"""Try the model of a run in a worker before its folds train, and keep what its builder opened."""

from collections.abc import Callable
from dataclasses import replace

from foldproof.tasks.common.digest import digest_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.places import FOLDERS, ROOT
from foldproof.tasks.data.dataset import WEIGHTS
from foldproof.tasks.folds.job import FoldJob, ModelFacts
from foldproof.tasks.run.known_trials import TrialMemory, read_facts, write_facts
from foldproof.tasks.run.plan import RunPlan
from foldproof.tasks.run.user_calls import call_builder_in_worker
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.disk_errors import RERUN_REMEDY, disk_errors_as_run_failed
from foldproof.tasks.store.object_storage import Remote, storage_errors_as_run_failed
from foldproof.tasks.user_code.opened_files.record import (
    may_open_files,
    read_record,
    write_record,
)
from foldproof.tasks.user_code.opened_files.watch import NOTHING, Exclusions, OpenedFiles
from foldproof.tasks.workers import in_worker
from foldproof.tasks.workers.protocol import SlotPool

_tried: dict[str, ModelFacts] = {}  # what trials in this process found, where nothing was wrong


def try_model(
    run: RunPlan, slots: Callable[[], SlotPool], display: Display, memory: TrialMemory, fresh: bool
) -> ModelFacts:
    """Return facts about a run's model, from a trial build in a worker.

    Args:
        run: its data, folds and model.
        slots: returns the run's slots, whose processes start when they are first asked for.
        display: shows what takes seconds.
        memory: what an equal trial found counts, without another one.
        fresh: take a new worker; what another builder imported would not be opened again.

    Raises:
        InputError: with what is wrong about the builder, the model or the settings.
    """
    job, weighted = _first_job(run), _is_weighted(run)
    trial = digest_json([job.family, weighted, run.record])
    known = _known_facts(run, trial, memory)
    if known is not None:
        return known
    display.status("starting a worker and trying the model")
    arguments = (job, weighted, run.identity.needs_tensorflow, _unwatched(run))
    call = (fresh, job.builder.reference, in_worker.inspect_model, *arguments)
    found, trace = call_builder_in_worker(slots(), *call)
    if isinstance(found, InputError):
        display.detail(trace)
        raise found
    facts: ModelFacts = found
    if facts.is_final:
        _tried[trial] = facts
        if records := memory.records(facts.opened):
            write_facts(records, trial, facts)
    return facts


def keep_opened(run: RunPlan, opened: OpenedFiles, remote: Remote | None) -> None:
    """Write the record of the files that the builder opened in its trial build."""
    if not may_open_files(run.study.model.builder):
        return
    with disk_errors_as_run_failed(
        f"out: what the builder opens, in {run.study.out!r}", RERUN_REMEDY
    ):
        write_record(opened, run.out / run.record)
    if remote is not None:
        with storage_errors_as_run_failed(remote.uri):
            remote.send([run.record], run.out)


def _first_job(run: RunPlan) -> FoldJob:
    """Return the job of the first fold, before it is known which files the builder opens."""
    return run.jobs_of(replace(run.plan, folds=run.plan.folds[:1]), run.identity)[0]


def _is_weighted(run: RunPlan) -> bool:
    return run.dataset.array(WEIGHTS) is not None or run.study.train.class_weight is not None


def _unwatched(run: RunPlan) -> Exclusions:
    """Return what a builder may open without that being part of the keys: ours, and sources."""
    shared = run.dataset.folder, *(fold.folder for fold in run.plan.folds[:1])  # of a comparison
    own = (run.scratch, *shared, *(ROOT / name for name in FOLDERS))
    return Exclusions(own, tuple(run.identity.described["sources"]))


def _known_facts(run: RunPlan, trial: str, memory: TrialMemory) -> ModelFacts | None:
    """Return what an earlier trial found, while the files that the builder opens are the same."""
    is_watched = may_open_files(run.study.model.builder)
    opened = read_record(run.out / run.record) if is_watched else NOTHING
    records = memory.records(opened or NOTHING)
    if memory.forgets and records:
        records.forget(trial)
    if memory.forgets or opened is None:
        return None
    known = _tried.get(trial) if memory.in_process else None
    if known is not None and known.opened == opened:
        return known
    return read_facts(records, trial, opened) if records else None
