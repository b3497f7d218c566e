"""Tables become a report folder: there whole or not at all, the same bytes for the same run."""

import json
import os
import shutil
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tasks.digest import digest_file
from tasks.html import render
from tasks.keys import run_id
from tasks.reduce import Tables

DETERMINISTIC = ("folds", "history", "predictions", "summary")
EXECUTION = "execution.parquet"
MANIFEST = "manifest.json"
CERTIFIED = ["repeat", "fold", "seed", "initial_weights_sha256", "certificate"]


@dataclass(frozen=True)
class Report:
    """Where a run's report is."""

    path: Path
    run_id: str


def write_report(
    tables: Tables, key: Mapping[str, Any], notices: tuple[str, ...], out: Path, run: dict[str, str]
) -> Report:
    """Write a report to a temporary folder and rename it into its place.

    Args:
        tables: what the folds were reduced to.
        key: all that the report follows from.
        notices: what a reader must be told.
        out: the folder of finished folds and reports.
        run: what may differ between equal runs, for execution.parquet.
    """
    name = run_id(dict(key))
    final = out / "runs" / name
    write_whole(final, lambda draft: _fill(draft, tables, key, notices, run), _has_failures)
    return Report(final, name)


def write_whole(
    final: Path, fill: Callable[[Path], None], has_holes: Callable[[Path], bool]
) -> None:
    """Fill a temporary folder and rename it into its place.

    Args:
        final: its place; what has no holes is not replaced by what has.
        fill: writes all files, the manifest last.
        has_holes: tells whether a folder reports on unfinished work.
    """
    draft = final.with_name(f".{final.name}.{socket.gethostname()}-{os.getpid()}.part")
    _remove(draft)  # of a killed process that had the same number
    draft.mkdir(parents=True)
    try:
        fill(draft)
        _put_in_place(draft, final, has_holes)
    finally:
        _remove(draft)


def _fill(
    folder: Path,
    tables: Tables,
    key: Mapping[str, Any],
    notices: tuple[str, ...],
    run: dict[str, str],
) -> None:
    for name in DETERMINISTIC:
        write_table(getattr(tables, name), folder / f"{name}.parquet")
    metadata = {f"foldproof.{field}": value for field, value in run.items()}
    write_table(tables.execution.replace_schema_metadata(metadata), folder / EXECUTION)
    (folder / "report.html").write_text(
        render(tables, key, notices), encoding="utf-8", newline="\n"
    )
    certificates = tables.folds.select(CERTIFIED).to_pylist()
    facts = {"run_id": run_id(dict(key)), "key": key, "certificates": certificates}
    write_manifest(folder, facts)


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write what a folder follows from and the digests of its files, and sync all of them."""
    files = sorted(path for path in folder.iterdir() if path.name != EXECUTION)
    manifest = {**facts, "files": {path.name: digest_file(path) for path in files}}
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
    for path in folder.iterdir():
        sync(path)


def write_table(table: pa.Table, path: Path) -> None:
    """Write one chunk a column and one row group, since bytes depend on both."""
    whole = table.combine_chunks()
    parquet.write_table(whole, path, compression="zstd", row_group_size=max(1, len(whole)))


def _put_in_place(draft: Path, final: Path, has_holes: Callable[[Path], bool]) -> None:
    """Rename a draft to its final name, replacing an earlier report of the run."""
    if _is_same(draft, final):
        if (draft / EXECUTION).exists():
            (draft / EXECUTION).replace(final / EXECUTION)
        return
    if has_holes(draft) and final.exists() and not has_holes(final) and _intact(final):
        return  # a complete report is worth more than a later one with holes
    earlier = draft.with_suffix(".old")
    _remove(earlier)
    try:
        if final.exists():
            final.rename(earlier)
        draft.rename(final)
    except OSError:
        if not _is_same(draft, final):  # an equal run at the same time was faster
            raise
    finally:
        _remove(earlier)


def _has_failures(folder: Path) -> bool:
    try:
        statuses = parquet.read_table(folder / "folds.parquet", columns=["status"])["status"]
    except (OSError, pa.ArrowException):
        return True
    return "failed" in statuses.to_pylist()


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _is_same(draft: Path, final: Path) -> bool:
    """Tell whether the final report is undamaged and has what the draft would put there."""
    if not (final / MANIFEST).is_file():
        return False
    same = (final / MANIFEST).read_bytes() == (draft / MANIFEST).read_bytes()
    return same and _intact(final)


def _intact(folder: Path) -> bool:
    if not (folder / MANIFEST).is_file():
        return False
    files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    present = all((folder / name).is_file() for name in files)
    return present and all(digest_file(folder / name) == digest for name, digest in files.items())


def sync(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
