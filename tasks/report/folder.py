"""Write the report folder atomically, with the same bytes for the same run."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from foldproof.tasks.common.digest import digest_file
from foldproof.tasks.common.version import VERSION
from foldproof.tasks.evaluation.curves.curve import curves_table
from foldproof.tasks.evaluation.findings.collect import FINDINGS, findings_table
from foldproof.tasks.evaluation.findings.types import Finding
from foldproof.tasks.evaluation.preprocessing import PREPROCESSING
from foldproof.tasks.evaluation.tables import Tables
from foldproof.tasks.folds.keys import run_id
from foldproof.tasks.report.page import render
from foldproof.tasks.report.settings_file import SETTINGS, settings_text
from foldproof.tasks.store.atomic_folders import write_folder_atomically

DETERMINISTIC = ("folds", "history", "predictions", "summary")
EXECUTION = "execution.parquet"
MANIFEST = "manifest.json"
CURVES = "curves.parquet"
CERTIFICATE_COLUMNS = ["repeat", "fold", "seed", "initial_weights_sha256", "certificate"]


@dataclass(frozen=True)
class Report:
    """The location of a run's report.

    Attributes:
        has_earlier: folds failed, and the complete report of an earlier run was kept.
    """

    path: Path
    run_id: str
    has_earlier: bool = False


def write_report(
    tables: Tables,
    findings: Sequence[Finding],
    key: Mapping[str, Any],
    notices: Sequence[str],
    out: Path,
    run: dict[str, str],
) -> Report:
    """Write a report atomically: into a temporary folder that is then renamed.

    Args:
        tables: what the folds were reduced to.
        findings: what a reader must know of them.
        key: all that the report follows from.
        notices: what else a reader must be told.
        out: the folder of finished folds and reports.
        run: what may differ between equal runs, for execution.parquet.
    """
    name = run_id(dict(key))
    final = out / "runs" / name
    write_folder_atomically(
        final,
        lambda draft: _fill(draft, tables, findings, key, notices, run),
        keep_existing(_has_failures),
    )
    return Report(final, name, has_earlier=bool(tables.failed) and not _has_failures(final))


def _fill(
    folder: Path,
    tables: Tables,
    findings: Sequence[Finding],
    key: Mapping[str, Any],
    notices: Sequence[str],
    run: dict[str, str],
) -> None:
    for name in DETERMINISTIC:
        write_table(getattr(tables, name), folder / f"{name}.parquet")
    write_table(findings_table(findings), folder / FINDINGS)
    if tables.preprocessing is not None:
        write_table(tables.preprocessing, folder / PREPROCESSING)
    builder = str(key["model"]["builder"])
    write_table(curves_table(builder, tables.curves), folder / CURVES)
    (folder / SETTINGS).write_text(settings_text(key), encoding="utf-8", newline="\n")
    metadata = {
        f"foldproof.{field}": value for field, value in ({"version": VERSION} | run).items()
    }
    write_table(tables.execution.replace_schema_metadata(metadata), folder / EXECUTION)
    told = [*(finding.text() for finding in findings), *notices]
    (folder / "report.html").write_text(
        render(tables, key, told),
        encoding="utf-8",
        newline="\n",
    )
    certificates = tables.folds.select(CERTIFICATE_COLUMNS).to_pylist()
    facts = {"run_id": run_id(dict(key)), "key": key, "certificates": certificates}
    write_manifest(folder, facts)


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write the manifest of a folder, with its key and the digests of its files, and sync them."""
    files = sorted(path for path in folder.iterdir() if path.name != EXECUTION)
    manifest = {**facts, "files": {path.name: digest_file(path) for path in files}}
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
    for path in folder.iterdir():
        sync_file(path)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table with one chunk per column and one row group, since bytes depend on both."""
    whole = table.combine_chunks()
    parquet.write_table(whole, path, compression="zstd", row_group_size=max(1, len(whole)))


def keep_existing(has_holes: Callable[[Path], bool]) -> Callable[[Path, Path], bool]:
    """Return a function that decides whether an existing report is kept.

    It does if it is sound and has what the draft would put there, or if it is complete and
    the draft is not.

    Args:
        has_holes: tells whether a folder reports on unfinished work.
    """

    def tell(draft: Path, final: Path) -> bool:
        if not _is_intact(final):
            return False
        if (final / MANIFEST).read_bytes() != (draft / MANIFEST).read_bytes():
            return has_holes(draft) and not has_holes(final)
        if (draft / EXECUTION).exists():
            (draft / EXECUTION).replace(final / EXECUTION)
        return True

    return tell


def _has_failures(folder: Path) -> bool:
    try:
        statuses = parquet.read_table(folder / "folds.parquet", columns=["status"])["status"]
    except (OSError, KeyError, pa.ArrowException):
        return True
    return "failed" in statuses.to_pylist()


def _is_intact(folder: Path) -> bool:
    """Return whether a folder has a manifest and all files match their digests there."""
    try:
        files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        return all(
            (folder / name).is_file() and digest_file(folder / name) == digest
            for name, digest in files.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False  # there is no manifest, or it is damaged


def sync_file(path: Path) -> None:
    """Sync a file's content to the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
