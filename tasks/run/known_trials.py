"""What trials of the run's model found, in this process or on disk by earlier commands."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.tasks.folds.job import ModelFacts
from foldproof.tasks.training.trial_records import TrialRecords, model_name, trial_records
from foldproof.tasks.user_code.opened_files.record import values_of
from foldproof.tasks.user_code.opened_files.watch import OpenedFiles


@dataclass(frozen=True)
class TrialMemory:
    """What counts of earlier trials in a run.

    Attributes:
        in_process: those in this process do.
        forgets: none do.
        records: those on disk, for a builder that opens these files, if any are kept.
    """

    in_process: bool
    forgets: bool
    records: Callable[[OpenedFiles], TrialRecords | None]


def records_for(out: Path, opened: OpenedFiles) -> TrialRecords:
    """Return the records of trials, for a builder that opens these files.

    Args:
        out: the folder of results.
        opened: they and the environment variables that it reads count by content.
    """
    return trial_records(out, [opened.files, opened.absent, values_of(opened.variables)])


def read_facts(records: TrialRecords, trial: str, opened: OpenedFiles) -> ModelFacts | None:
    """Return what a trial of a model found, if nothing that it depends on has changed.

    Args:
        records: of the run's folder.
        trial: identifies the model, its settings and the data.
        opened: what its builder opens.
    """
    found = records.read(model_name(trial)) or {}
    if found.keys() != {"kind", "compiled", "notices", "saw_rows"}:
        return None
    return ModelFacts(
        kind=found["kind"],
        compiled=bool(found["compiled"]),
        notices=tuple(map(str, found["notices"])),
        opened=opened,
        saw_rows=bool(found["saw_rows"]),
    )


def write_facts(records: TrialRecords, trial: str, facts: ModelFacts) -> None:
    """Keep what the trial of a model found that can be trained."""
    found: dict[str, Any] = {
        "kind": facts.kind,
        "compiled": facts.compiled,
        "notices": list(facts.notices),
        "saw_rows": facts.saw_rows,
    }
    with contextlib.suppress(OSError):  # the next command will try again
        records.write(model_name(trial), found)
