"""audit.html: the audit to look at, in one file without outside resources."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from foldproof.tasks.audit.table import Comparison, is_different, judge
from foldproof.tasks.audit.terminal import cells, number_causes, partner
from foldproof.tasks.report.page_template import fill_template


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
