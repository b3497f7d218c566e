"""Prove a finished run: its files, its metrics, and folds refitted in fresh processes.

Every fold is refitted as plain Keras, in a process of its own, in another order and on
another slot than before, and compared stage by stage, so that the first divergence is named.
"""

import contextlib
import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from foldproof.tasks.common.json_diff import json_diff
from foldproof.tasks.common.text import one_line, shortened
from foldproof.tasks.config.study import Study
from foldproof.tasks.data.target_facts import named_positive
from foldproof.tasks.evaluation.own_metrics import load_own_metrics
from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.folds.result import FinishedFold
from foldproof.tasks.machine.devices import available_cores
from foldproof.tasks.report.finished import RESULTS, FinishedRun
from foldproof.tasks.report.parquet_tables import fold_of, report_errors_as_input_error
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_with_retries
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from foldproof.tasks.user_code.search_path import starting_in
from foldproof.tasks.verification.foreign_report import Show, check_code, check_data
from foldproof.tasks.verification.level import Level
from foldproof.tasks.workers.protocol import WorkerSlot

Say = Callable[[str], None]

FILES, ANEW, FOLLOW = "files", "each fold began anew", "follow from the predictions"
SCORE_TOLERANCE = 1e-4  # of a score, what float32 arithmetic in another order may change
MAX_SLOTS = 4  # whatever the number of folds
MAX_DEVIATIONS = 3.0  # standard deviations over the folds that a metric may be away from the mean


def verify(
    finished: FinishedRun,
    source: str | None,
    folds: int | None,
    level: Level,
    say: Say,
    trusted: bool = False,
    show: Show | None = None,
) -> bool:
    """Check a finished run and print a line for each finding.

    Args:
        finished: the run.
        source: where the data is now; None where it was.
        folds: how many to refit; None for all.
        level: what a refitted fold must have in common with the report: every bit, every
            score but for rounding, or metrics that could be of the same run.
        say: takes a line for people.
        trusted: the report may run code; else it is data.
        show: shows a line on a terminal, and tells whether there is one.

    Returns:
        Whether everything agrees.

    Raises:
        InputError: the run cannot be done again here, or must not be, with the reason.
    """
    tell = partial(_tell_one_line, say)
    with report_errors_as_input_error():
        damaged = list(finished.damaged_files())
        if damaged:
            return _tell(tell, FILES, damaged)  # what is refitted would be compared with nothing
        chosen = _choose(finished, folds)
        study = finished.study(source, _slot_count(len(chosen))) if chosen else None
        needs_own = study is not None and (trusted or check_code(study, finished.sources))
        if study is not None:
            check_data(study, source is not None, show, trusted)
            load_own_metrics(study.metrics)
        sound = _tell_stored(tell, finished)
    if study is None:
        tell("folds: none to refit")
        return sound
    return _refit_all(finished, study, needs_own, chosen, level, tell) and sound


def _refit_all(
    finished: FinishedRun,
    study: Study,
    needs_own: bool,
    chosen: list[dict[str, Any]],
    level: Level,
    say: Say,
) -> bool:
    """Refit folds; where no module of the user's is needed, none can be found.

    A report may lie beside files with the names of modules.
    """
    with tempfile.TemporaryDirectory(prefix="foldproof-verify-") as out:
        empty = Path(out, "empty")
        empty.mkdir()
        around = contextlib.nullcontext() if needs_own else starting_in(empty)
        placed = study.model_copy(update={"out": out})
        with around, launched(Run(placed, Display("quiet"), owns_out=True)) as run:
            run.check()
            _tell(
                say, "environment and inputs", changes(finished.key, run.key), "as in the manifest"
            )
            jobs = {(job.repeat, job.fold): job for job in run.jobs}
            slots = _OtherSlots(run.slots.slots)

            def refit(row: dict[str, Any]) -> _Verdict:
                return _refit(run, finished, row, jobs.get(fold_of(row)), level, slots)

            verdicts = list(_say_in_order(run, refit, chosen[::-1], say))  # another order
    return all(verdict.agrees for verdict in verdicts)


def _slot_count(folds: int) -> int:
    """Return how many folds are refitted at a time; two let each have another slot than before."""
    return min(folds, max(2, min(MAX_SLOTS, available_cores())))


def _say_in_order(
    run: Run,
    refit: Callable[[dict[str, Any]], "_Verdict"],
    rows: Sequence[dict[str, Any]],
    say: Say,
) -> Iterator["_Verdict"]:
    """Refit as many folds at a time as there are slots; say what came of them in their order."""
    with ThreadPoolExecutor(len(run.slots.slots)) as threads:
        try:
            for verdict in threads.map(refit, rows):
                say(verdict.line)
                yield verdict
        except BaseException:
            run.slots.stop()  # or the folds under way would be waited for
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def _wrong_metrics(finished: FinishedRun) -> list[str]:
    """Return what is wrong about metrics, and which label they are about."""
    wrong = list(finished.wrong_metrics())
    named = named_positive(finished.facts) if finished.facts else ""
    return [*wrong, *([f"positive: {named}"] if wrong and named else [])]


def _tell_one_line(say: Say, line: str) -> None:
    """Say a line, keeping its indentation; a report may name anything, also line breaks."""
    say(line[: len(line) - len(line.lstrip())] + one_line(line))


def _tell_stored(say: Say, finished: FinishedRun) -> bool:
    """Say that the files are whole, and whether what they hold agrees; return that."""
    _tell(say, FILES, [])
    sound = _tell(say, "certificates", list(finished.wrong_certificates()), ANEW)
    sound &= _tell(say, "metrics", _wrong_metrics(finished), FOLLOW)
    if own := set(finished.key["metrics"]) - set(finished.computable_metrics()):
        say(f"metrics: {', '.join(sorted(own))} not computed, as no fold is refitted")
    return sound


def _tell(say: Say, what: str, wrong: list[str], fine: str = "as the manifest says") -> bool:
    say(f"{what}: {'DIFFERENT' if wrong else fine}")
    for line in wrong:
        say(f"  {line}")
    return not wrong


def _choose(finished: FinishedRun, count: int | None) -> list[dict[str, Any]]:
    """Choose finished folds, evenly over the run."""
    done = [row for row in finished.folds if row["status"] == "ok"]
    if count is None or count >= len(done):
        return done
    places = np.linspace(0, len(done) - 1, count).round().astype(int)
    return [done[place] for place in dict.fromkeys(places.tolist())]


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return a line for each difference between the report's key and the new run's.

    Where the versions of results differ, one line says so, and what a key did not hold in the
    report's version is not compared.
    """
    lines, said, here = [], before.get(RESULTS), now.get(RESULTS)
    if said != here:
        lines = [f"results version: {_shown(said)} in the report, {_shown(here)} here"]
        before, now = ({**part, RESULTS: here} for part in (before, _known_to(before, now)))
    return lines + [
        f"{name}: {_shown(was)} in the report, {_shown(is_now)} here"
        for name, was, is_now in json_diff(before, now)
    ]


def _known_to(before: Any, now: Any) -> Any:
    if not (isinstance(before, Mapping) and isinstance(now, Mapping)):
        return now
    return {name: _known_to(before[name], now[name]) for name in now if name in before}


def _shown(value: Any) -> str:
    return shortened(json.dumps(value, ensure_ascii=False), 60)


@dataclass(frozen=True)
class _Verdict:
    """Whether a refitted fold agrees with the report, and the line that says so."""

    line: str
    agrees: bool


def _refit(
    run: Run,
    finished: FinishedRun,
    row: Mapping[str, Any],
    job: FoldJob | None,
    level: Level,
    slots: "_OtherSlots",
) -> _Verdict:
    place = f"fold {row['repeat']}/{row['fold']}"
    if job is None:
        return _Verdict(f"{place}: DIFFERENT: the split has no such fold any more", False)
    with slots.other_than(finished.devices.get(row["fold_key"], "")) as slot:
        record = _train_in_new_process(run, job, slot)
    if record.error is not None:
        return _Verdict(f"{place}: DIFFERENT: it fails here: {record.error}", False)
    fold = read_fold(job.store, job.key)
    with report_errors_as_input_error():
        divergence = next(_divergences(finished, row, fold), None)
        if divergence is None:
            return _Verdict(f"{place}: identical", True)
        verdict = _is_near(finished, row, run, fold, level) if level != "bit" else ""
    return _Verdict(f"{place}: {verdict or 'DIFFERENT'}: {divergence}", bool(verdict))


def _train_in_new_process(run: Run, job: FoldJob, slot: WorkerSlot) -> FoldRecord:
    slot.kill_workers()
    try:
        return train_with_retries(run, job, slot)
    finally:
        slot.kill_workers()


class _OtherSlots:
    """Lends slots of other names than before, so that a device shows its share in the bits.

    A slot whose process has ended may be used again, so a few do for any number of folds.
    """

    def __init__(self, slots: Sequence[WorkerSlot]) -> None:
        self._free, self._changed = list(slots), threading.Condition()
        self._names = {slot.name for slot in slots}

    @contextlib.contextmanager
    def other_than(self, before: str) -> Iterator[WorkerSlot]:
        """Lend a slot of another name; if there is no other one, that."""
        wanted = self._names - {before} or self._names
        with self._changed:
            self._changed.wait_for(lambda: any(slot.name in wanted for slot in self._free))
            slot = next(slot for slot in self._free if slot.name in wanted)
            self._free.remove(slot)
        try:
            yield slot
        finally:
            with self._changed:
                self._free.append(slot)
                self._changed.notify_all()


def _divergences(
    finished: FinishedRun, row: Mapping[str, Any], fold: FinishedFold
) -> Iterator[str]:
    """Yield the differences between a refitted fold and the report, the first cause first."""
    if fold.initial != row["initial_weights_sha256"]:
        yield "the initial weights differ"
    yield from _other_history(finished, row, fold)
    if fold.weights != row["weights_sha256"]:
        yield "the final weights differ"
    if fold.predictions != row["predictions_sha256"]:
        yield "the scores differ"


def _other_history(
    finished: FinishedRun, row: Mapping[str, Any], fold: FinishedFold
) -> Iterator[str]:
    of_fold = finished.history.get(fold_of(row))
    values = of_fold.to_pylist() if of_fold is not None else []
    said = {(value["epoch"], value["metric"]): value["value"] for value in values}
    found = {(epoch, name): value for epoch, name, value in fold.history}
    for epoch, name in sorted({*said, *found}):
        before, now = said.get((epoch, name)), found.get((epoch, name))
        if before != now:
            yield f"{name} of epoch {epoch} is {before} in the report, {now} here"


def _is_near(
    finished: FinishedRun, row: Mapping[str, Any], run: Run, fold: FinishedFold, level: Level
) -> str:
    """Return how a fold that is not identical agrees at this level, or an empty text."""
    from foldproof.tasks.evaluation.tables import score_fold

    scored = score_fold(run.dataset, fold, run.metrics)
    if level == "numeric":
        said = finished.predictions[fold_of(row)].to_pylist()
        names = [name for name in said[0] if name.startswith("score_")]
        values = names or [name for name in said[0] if name.startswith("y_pred")]
        here = scored.predictions.scores
        # Of a binary task, the positive class alone; an array stands in one column.
        columns = values[-here.shape[1] :]
        before = np.array([[line[name] for name in columns] for line in said], float)
        before = before.reshape(len(said), -1)
        scale = 1.0 if names else max(1.0, float(np.abs(before).max()))
        largest = float(np.abs(before - here).max())
        return (
            f"equal but for rounding, {largest:.1e} at most"
            if largest <= SCORE_TOLERANCE * scale
            else ""
        )
    for summary in finished.summary:
        value = scored.metrics[summary["metric"]].value
        if value is None or summary["mean"] is None:
            continue
        if (
            abs(value - summary["mean"])
            > MAX_DEVIATIONS * (summary["std"] or 0.0) + SCORE_TOLERANCE
        ):
            return ""
    return f"equal within {MAX_DEVIATIONS:g} standard deviations of the run's folds"
