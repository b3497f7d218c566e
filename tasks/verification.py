"""Prove a finished run: its files, its metrics, and folds refitted in fresh processes.

Every fold is refitted as plain Keras, in a process of its own, in another order and on
another slot than before, and compared stage by stage, so that the first divergence is named.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tasks.display import Display
from tasks.finished import FinishedRun, differences
from tasks.jobs import FoldJob, FoldRecord
from tasks.run import Run, launched
from tasks.store import FinishedFold, read_fold
from tasks.target_facts import named_positive
from tasks.training import train_with_retries
from tasks.verify_level import Level
from tasks.workers import Slot, Slots

Say = Callable[[str], None]

NEAR = 1e-4  # of a score, what float32 arithmetic in another order may change
SPREADS = 3.0  # standard deviations over the folds that a metric may be away from the mean


def verify(
    finished: FinishedRun, source: str | None, folds: int | None, level: Level, say: Say
) -> bool:
    """Check a finished run and say what was found.

    Args:
        finished: the run.
        source: where the data is now; None where it was.
        folds: how many to refit; None for all.
        level: what a refitted fold must have in common with the report: every bit, every
            score but for rounding, or metrics that could be of the same run.
        say: takes a line for people.

    Returns:
        Whether everything agrees.

    Raises:
        InputError: the run cannot be done again here, with the reason.
    """
    sound = _tell(say, "files", list(finished.damaged_files()), "as the manifest says")
    if not sound:
        return False  # what is refitted would be compared with nothing
    sound = _tell(say, "certificates", list(finished.wrong_certificates()), "each fold began anew")
    sound &= _tell(say, "metrics", _wrong_metrics(finished), "follow from the predictions")
    chosen = _choose(finished, folds)
    if not chosen:
        say("folds: none to refit")
        return sound
    with tempfile.TemporaryDirectory(prefix="foldproof-verify-") as out:
        study = finished.study(source, Path(out), workers=len(chosen))
        with launched(Run(study, Display("quiet"), owns_out=True)) as run:
            run.check()
            _tell(say, "environment and inputs", _changes(finished, run), "as in the manifest")
            for row in reversed(chosen):  # another order than before
                sound &= _refit(run, finished, row, level, say)
    return sound


def _wrong_metrics(finished: FinishedRun) -> list[str]:
    """Return what is wrong about metrics, and which label they are about."""
    wrong = list(finished.wrong_metrics())
    named = named_positive(finished.facts) if finished.facts else ""
    return [*wrong, *([f"positive: {named}"] if wrong and named else [])]


def _tell(say: Say, what: str, wrong: list[str], fine: str) -> bool:
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


def _changes(finished: FinishedRun, run: Run) -> list[str]:
    return list(differences(finished.key, run.key))


def _refit(run: Run, finished: FinishedRun, row: Mapping[str, Any], level: Level, say: Say) -> bool:
    place = f"fold {row['repeat']}/{row['fold']}"
    jobs = [job for job in run.jobs if (job.repeat, job.fold) == (row["repeat"], row["fold"])]
    if not jobs:
        say(f"{place}: DIFFERENT: the split has no such fold any more")
        return False
    record = _train_elsewhere(run, jobs[0], _device(finished, row))
    if record.error is not None:
        say(f"{place}: DIFFERENT: it fails here: {record.error}")
        return False
    fold = read_fold(jobs[0].store, jobs[0].key)
    divergence = next(_divergences(finished, row, fold), None)
    if divergence is None:
        say(f"{place}: identical")
        return True
    verdict = _is_near(finished, row, run, fold, level) if level != "bit" else ""
    say(f"{place}: {verdict or 'DIFFERENT'}: {divergence}")
    return bool(verdict)


def _train_elsewhere(run: Run, job: FoldJob, before: str) -> FoldRecord:
    slot = _another_slot(run.slots, before)
    try:
        return train_with_retries(run, job, slot)
    finally:
        run.slots.give_back(slot)


def _another_slot(slots: Slots, before: str) -> Slot:
    """Lease a slot that has trained nothing yet, by another name than before if there is one."""
    slot = slots.lease()
    if slot.name != before or len(slots.slots) == 1:
        return slot
    other = slots.lease()
    slots.give_back(slot)
    return other


def _device(finished: FinishedRun, row: Mapping[str, Any]) -> str:
    table = finished.execution
    devices = dict(zip(table["fold_key"].to_pylist(), table["device"].to_pylist(), strict=True))
    return str(devices.get(row["fold_key"], ""))


def _divergences(
    finished: FinishedRun, row: Mapping[str, Any], fold: FinishedFold
) -> Iterator[str]:
    """Yield where a refitted fold differs from the report, in the order it came about."""
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
    said = {
        (value["epoch"], value["metric"]): value["value"]
        for value in finished.table("history.parquet").to_pylist()
        if (value["repeat"], value["fold"]) == (row["repeat"], row["fold"])
    }
    found = {(epoch, name): value for epoch, name, value in fold.history}
    for epoch, name in sorted({*said, *found}):
        before, now = said.get((epoch, name)), found.get((epoch, name))
        if before != now:
            yield f"{name} of epoch {epoch} is {before} in the report, {now} here"


def _is_near(
    finished: FinishedRun, row: Mapping[str, Any], run: Run, fold: FinishedFold, level: Level
) -> str:
    """Return in what sense a fold that is not identical agrees all the same, or nothing."""
    from tasks.reduce import score_fold

    scored = score_fold(run.dataset, fold, run.metrics)
    if level == "numeric":
        table = finished.table("predictions.parquet").to_pylist()
        place = (row["repeat"], row["fold"])
        said = [line for line in table if (line["repeat"], line["fold"]) == place]
        names = [name for name in said[0] if name.startswith("score_")] or ["y_pred"]
        last = np.array([line[names[-1]] for line in said], float)
        scale = 1.0 if names != ["y_pred"] else max(1.0, float(np.abs(last).max()))
        largest = float(np.abs(last - scored.predictions.scores[:, -1]).max())
        return f"equal but for rounding, {largest:.1e} at most" if largest <= NEAR * scale else ""
    for summary in finished.table("summary.parquet").to_pylist():
        value = scored.metrics[summary["metric"]].value
        if value is None or summary["mean"] is None:
            continue
        if abs(value - summary["mean"]) > SPREADS * (summary["std"] or 0.0) + NEAR:
            return ""
    return f"equal within {SPREADS:g} standard deviations of the run's folds"
