"""The content of the Prefect artifacts of a finished run: tables and a page.

Nothing here calls Prefect. Its tables take a list of rows with the same names in each,
and no NaN, no infinity and no NumPy number; its pages are Markdown, where whatever comes
from data, errors or paths is escaped.
"""

import base64
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from foldproof.tasks.common.text import number
from foldproof.tasks.data.target_facts import TargetFacts, report_lines
from foldproof.tasks.evaluation.tables import Tables
from foldproof.tasks.prefect_ui.markdown import escape
from foldproof.tasks.report.plots import spread
from foldproof.tasks.report.result import coverage, headline_of

Row = dict[str, str | int | float | None]

MAX_PAGE_CHARS = 1_000_000  # of a Markdown page
MAX_TABLE_FOLDS = 500  # folds that a table names: an artifact is one row of Prefect's database
MAX_FAILED_FOLDS = 20  # failed folds that a page names
FONT = "svg text{font:12px system-ui,sans-serif;fill:#3a4856}"


def artifact_key(builder: str, source: str, what: str) -> str:
    """Return the name under which Prefect collects an artifact over all runs of a study."""
    text = "-".join([builder.rpartition(":")[2], Path(source).stem, what])
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def summary_rows(tables: Tables) -> list[Row]:
    """Return one row a metric: folds, mean, spread, interval and its method."""
    return [
        {
            "metric": row["metric"],
            "folds": f"{row['n_folds']} of {row['n_planned']}",
            "mean": plain(row["mean"]),
            "std": plain(row["std"]),
            "ci_low": plain(row["ci_low"]),
            "ci_high": plain(row["ci_high"]),
            "ci_method": row["ci_method"],
            "pooled": plain(row["pooled"]),
            "estimate": row["estimate"],
        }
        for row in tables.summary.to_pylist()
    ]


def fold_rows(tables: Tables, metrics: Sequence[str], labels: Sequence[str]) -> list[Row]:
    """Return one row a fold; failed ones come first, and of many the rest is counted.

    Args:
        tables: what the folds were reduced to.
        metrics: the metrics' names.
        labels: the names of the folds' task runs, in the order of the plan.
    """
    rows: list[Row] = [
        {
            "task": label,
            "repeat / fold": _place(row),
            "status": row["status"],
            "error": row["error"] or "",
            **{name: plain(row[name]) for name in metrics},
            "n_train": row["n_train"],
            "n_test": row["n_test"],
            "epochs_run": row["epochs_run"],
        }
        for label, row in zip(labels, tables.folds.to_pylist(), strict=True)
    ]
    rows = sorted(rows, key=lambda row: row["status"] != "failed")
    more = len(rows) - MAX_TABLE_FOLDS
    if more <= 0:
        return rows
    rest: Row = dict.fromkeys(rows[0])
    return [*rows[:MAX_TABLE_FOLDS], {**rest, "task": f"and {more} more; see folds.parquet"}]


def page(
    tables: Tables,
    key: Mapping[str, Any],
    notices: Sequence[str],
    report: Path,
    files: Sequence[str],
) -> str:
    """Return the page of a run: coverage, summary, plots, and where the report lies.

    Args:
        tables: what the folds were reduced to.
        key: what the report follows from.
        notices: what the user should be told.
        report: the report's folder.
        files: names of the files in it.
    """
    plot = picture(spread(tables, key["metrics"]), "values by fold")
    builder = str(key["model"]["builder"])
    parts = [
        f"# {escape(builder.rpartition(':')[2])}",
        f"Model: {code(builder)}",
        *(escape(line) for line in _target_lines(key)),
        _coverage(tables),
        *(f"> {escape(notice)}" for notice in notices),
        "## Summary",
        _summary(tables),
        "## Spread over the folds",
        plot if len(plot) < MAX_PAGE_CHARS // 2 else "Too large to be shown here; see report.html.",
        "## Report",
        f"On the machine that ran the folds, in the folder {code(str(report))}:",
        "\n".join(f"- {code(name)}" for name in files),
    ]
    return "\n\n".join(part for part in parts if part)[:MAX_PAGE_CHARS]


def _target_lines(key: Mapping[str, Any]) -> Iterator[str]:
    """Yield the positive label, and all labels with their counts."""
    facts = TargetFacts.of_key(key)
    return report_lines(facts) if facts else iter(())


def headline(tables: Tables) -> str:
    """Return the first metric with its interval, its folds and the positive label."""
    return headline_of(tables.summary, tables.positive)


def plain(value: float | None) -> float | None:
    """Return a number that JSON can hold, or None."""
    return None if value is None or not math.isfinite(value) else float(value)


def code(text: str) -> str:
    """Return text as Markdown code, whatever backticks it holds."""
    one_line = " ".join(text.split())
    longest = max((len(run) for run in re.findall(r"`+", one_line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{one_line}{pad}{fence}"


def picture(svg: str, title: str) -> str:
    """Return an SVG of the report's as an inline image for Markdown."""
    own = '<svg xmlns="http://www.w3.org/2000/svg" width="900" style="background:#fff" '
    whole = svg.replace("<svg ", own, 1).replace(">", f"><style>{FONT}</style>", 1)
    content = base64.b64encode(whole.encode()).decode()
    return f"![{escape(title)}](data:image/svg+xml;base64,{content})"


def _coverage(tables: Tables) -> str:
    if not tables.failed:
        return ""
    failed = [row for row in tables.folds.to_pylist() if row["status"] == "failed"]
    lines = [
        f"**{coverage(len(failed), tables.folds.num_rows)}. All numbers cover the others only.**",
        *(
            f"- fold {_place(row)}: {escape(row['error'] or '')}"
            for row in failed[:MAX_FAILED_FOLDS]
        ),
    ]
    more = len(failed) - MAX_FAILED_FOLDS
    return "\n".join([lines[0], "", *lines[1:], *([f"- and {more} more"] if more > 0 else [])])


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['repeat']}/{row['fold']}"


def _summary(tables: Tables) -> str:
    head = ["metric", "folds", "mean", "std", "interval", "pooled", "interval's method"]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in tables.summary.to_pylist():
        low, high = number(row["ci_low"]), number(row["ci_high"])
        cells = [
            escape(row["metric"]),
            f"{row['n_folds']} of {row['n_planned']}",
            number(row["mean"]),
            number(row["std"]),
            f"{low} to {high} around the {row['estimate']}" if low else "",
            number(row["pooled"]),
            escape(row["ci_method"]),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
