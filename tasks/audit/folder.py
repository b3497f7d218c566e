"""The audit's folder, a table and a page, there whole or not at all.

A later audit of the same run replaces it. audit.html is one file without outside resources.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from foldproof.tasks.audit.table import Comparison, audit_table, is_different, judge
from foldproof.tasks.audit.terminal import cells, number_causes, partner
from foldproof.tasks.report.folder import sync_file, write_table
from foldproof.tasks.report.page_template import fill_template
from foldproof.tasks.store.atomic_folders import write_folder_atomically


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
            sync_file(path)

    write_folder_atomically(final, fill)


def render(rows: Sequence[Comparison], subtitle: str, key: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        rows: the comparisons, the reference first.
        subtitle: the fold, in words.
        key: all that the run follows from.
    """
    model, numbers = rows[0].model, number_causes(rows)
    return fill_template(
        "foldproof.tasks.audit",
        "audit.html.j2",
        key,
        title=f"{model}: audit",
        heading=f"{model}: what makes fits differ",
        subtitle=subtitle,
        verdict=judge(rows),
        metric=rows[0].metric,
        causes=[
            (numbers[name], list(group)) for name, group in groupby(rows, lambda row: row.cause)
        ],
        cells=cells,
        is_different=is_different,
        partner=partner,
    )
