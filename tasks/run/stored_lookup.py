"""Look before the data is read whether folds and report of a run may be stored already.

That decides only what is started early. Which folds are taken is decided by their keys.
"""

import os
from pathlib import Path
from typing import Any

from foldproof.tasks.folds.paths import FOLDS
from foldproof.tasks.report.result import Result
from foldproof.tasks.run.plan import RunPlan
from foldproof.tasks.run.stored_reports import matching_reports, stored_result
from foldproof.tasks.store.disk_errors import RERUN_REMEDY, disk_errors_as_run_failed
from foldproof.tasks.store.known_sources import SOURCES, keep_known, read_known, source_record
from foldproof.tasks.store.object_storage import Remote


class StoredLookup:
    """What is stored of a run, as far as its settings and the bytes of its source tell.

    Of the run that its methods are given, only settings and the model's identity are asked for.
    """

    def __init__(self, remote: Remote | None) -> None:
        """Take the object storage of the results, if they are not in a folder."""
        self._remote = remote
        self._source: str | None = None
        self._found: tuple[Path, ...] | None = None
        self._has_looked = False

    def may_hold_all_folds(self, run: RunPlan) -> bool:
        """Return whether all folds may be stored."""
        if self._remote is not None:
            return bool(self._remote.names(FOLDS))
        if not _holds(run.out / FOLDS, ".parquet"):
            return False
        reports = self._reports(run)
        return reports is None or bool(reports)

    def result(self, run: RunPlan) -> Result | None:
        """Return the result of an intact report of the same request, or None."""
        return stored_result(run, self._reports(run) or ())

    def note_source(self, run: RunPlan) -> None:
        """Take a digest of the source's bytes while the data is read."""
        self._source = _source_record(run)

    def keep_source(self, run: RunPlan) -> None:
        """Write the record that maps the source's bytes to the data's digest."""
        if self._remote is None and self._source is not None:
            with disk_errors_as_run_failed(
                f"out: what is known of the data, in {run.study.out!r}", RERUN_REMEDY
            ):
                keep_known(run.dataset, run.out / self._source)

    def _reports(self, run: RunPlan) -> tuple[Path, ...] | None:
        """Return the stored reports of the same settings and samples; None if it is unknown."""
        if not self._has_looked:
            known = self._known_source(run)
            self._found = None if known is None else matching_reports(run, known)
            self._has_looked = True
        return self._found

    def _known_source(self, run: RunPlan) -> dict[str, Any] | None:
        """Return the digest and settings of the data by its source's bytes, if known."""
        if self._remote is not None or not _holds(run.out / SOURCES, ".json"):
            return None
        record = _source_record(run)
        return None if record is None else read_known(run.out / record)


def _source_record(run: RunPlan) -> str | None:
    return source_record(run.study.data, run.study.split.fold_column)


def _holds(folder: Path, ending: str) -> bool:
    return folder.is_dir() and any(name.endswith(ending) for name in os.listdir(folder))
