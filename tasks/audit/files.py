"""The audit's folder: there whole or not at all; a later audit of the same run replaces it."""

import os
import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.audit.page import render
from tasks.audit.table import Comparison, audit_table
from tasks.report import sync, write_table


def write_audit(
    rows: Sequence[Comparison], subtitle: str, key: Mapping[str, Any], final: Path
) -> None:
    """Write audit.parquet and audit.html to a temporary folder and rename it into its place.

    Args:
        rows: the comparisons, the reference first.
        subtitle: the fold, in words.
        key: all that the run follows from.
        final: the folder.
    """
    draft = final.with_name(f".{final.name}.{socket.gethostname()}-{os.getpid()}.part")
    _remove(draft)  # of a killed process that had the same number
    draft.mkdir(parents=True)
    try:
        write_table(audit_table(rows), draft / "audit.parquet")
        page = render(rows, subtitle, key)
        (draft / "audit.html").write_text(page, encoding="utf-8", newline="\n")
        for path in draft.iterdir():
            sync(path)
        _put_in_place(draft, final)
    finally:
        _remove(draft)


def _put_in_place(draft: Path, final: Path) -> None:
    earlier = draft.with_suffix(".old")
    _remove(earlier)
    try:
        if final.exists():
            final.rename(earlier)
        draft.rename(final)
    finally:
        _remove(earlier)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
