"""How a result shows itself in a notebook: its table, what must be known, and its report."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

STYLE = "text-align:right;padding:.2em .7em"
FIRST = "text-align:left;padding:.2em .7em"
NOTE = "margin:.3em 0;padding:.3em .7em;border-left:4px solid #d69a00"


def result_html(
    table: Sequence[Sequence[str]], notices: Sequence[str], line: str, report: str, run_id: str
) -> str:
    """Return a result as markup that a notebook shows.

    Args:
        table: the head, then a row a metric.
        notices: what must be known, most of all that folds failed.
        line: which label is positive, or nothing.
        report: where the report is.
        run_id: its name.
    """
    head, *rows = table
    parts = [f'<p style="{NOTE}">{escape(notice)}</p>' for notice in notices]
    parts.append(f"<p>{escape(line)}</p>" if line else "")
    parts.append(f"<table><thead><tr>{_cells('th', head)}</tr></thead><tbody>")
    parts += [f"<tr>{_cells('td', row)}</tr>" for row in rows]
    parts.append("</tbody></table>")
    parts.append(f"<p>run {escape(run_id)}: {_link(report)}</p>")
    return f"<div>{''.join(parts)}</div>"


def _cells(kind: str, row: Sequence[str]) -> str:
    styles = [FIRST, *[STYLE] * (len(row) - 1)]
    cells = zip(styles, row, strict=True)
    return "".join(f'<{kind} style="{style}">{escape(text)}</{kind}>' for style, text in cells)


def _link(report: str) -> str:
    """Return a link to a page on this machine, or what names it elsewhere."""
    if "://" in report:
        return f"<code>{escape(report)}</code>"
    return f'<a href="{escape(Path(report).as_uri())}">{escape(report)}</a>'
