"""The audit's folder: there whole or not at all; a later audit of the same run replaces it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from foldproof.tasks.audit.page import render
from foldproof.tasks.audit.table import Comparison, audit_table
from foldproof.tasks.report.folder import sync, write_table
from foldproof.tasks.store.atomic_folders import write_whole


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

    def fill(draft: Path) -> None:
        write_table(audit_table(rows), draft / "audit.parquet")
        page = render(rows, subtitle, key)
        (draft / "audit.html").write_text(page, encoding="utf-8", newline="\n")
        for path in draft.iterdir():
            sync(path)

    write_whole(final, fill)
