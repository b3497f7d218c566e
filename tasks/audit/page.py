"""audit.html: the audit to look at, in one file without outside resources."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from foldproof.tasks.audit.table import Comparison, is_different, judge
from foldproof.tasks.audit.terminal import cells, number_causes, partner
from foldproof.tasks.report.page import classes, document, origin, table

HEAD = (
    "cause",
    "compared with",
    "bits",
    "first differs",
    "largest difference in scores",
    "difference in {metric}",
)


def render(rows: Sequence[Comparison], subtitle: str, key: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        rows: the comparisons, the reference first.
        subtitle: the fold, in words.
        key: all that the run follows from.
    """
    verdict, model = judge(rows), rows[0].model
    mood = "notice" if verdict.reproducible else "failed"
    parts = [
        f"<h1>{escape(model)}: what makes fits differ</h1>",
        f'<p class="quiet">{escape(subtitle)}</p>',
        *classes(key),
        f'<p class="{mood}">{escape(verdict.sentence)}</p>',
        _comparisons(rows),
        "<h2>What was done, and what it means</h2>",
        *_words(rows),
        "<h2>What this follows from</h2>",
        origin(key),
    ]
    return document(f"{model}: audit", parts)


def _comparisons(rows: Sequence[Comparison]) -> str:
    head = [escape(name.format(metric=rows[0].metric)) for name in HEAD]
    body, last = [], ""
    for row in rows:
        title = "" if row.cause == last else _titled(rows, row)
        body.append(
            [escape(cell) for cell in (title, partner(row) if row.applies else "", *cells(row))]
        )
        last = row.cause
    differ = frozenset(index for index, row in enumerate(rows) if is_different(row))
    return table(head, body, differ)


def _words(rows: Sequence[Comparison]) -> Iterator[str]:
    last = ""
    for row in rows:
        if row.cause != last:
            yield f"<h3>{escape(_titled(rows, row))}</h3>"
            yield f'<p class="quiet">{escape(row.done)}</p>'
        label = f"<b>{escape(partner(row))}, {escape(cells(row)[0])}.</b> " if row.applies else ""
        yield f"<p>{label}{escape(row.meaning)}</p>"
        last = row.cause


def _titled(rows: Sequence[Comparison], row: Comparison) -> str:
    number = number_causes(rows)[row.cause]
    return f"{number}. {row.title}" if number else row.title
