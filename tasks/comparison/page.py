"""comparison.html: the models side by side, in one file without outside resources."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from foldproof.tasks.comparison.models import ComparedModel
from foldproof.tasks.comparison.tables import ComparisonTables
from foldproof.tasks.comparison.texts import by_rank, p_text, sized
from foldproof.tasks.report.page import (
    classes,
    describe,
    document,
    facts_table,
    number,
    positive,
    scrolled,
    strips,
    table,
)

HIGHER = "Difference is first minus second; greater is better for every metric."
HOLM = "Adjusted p is Holm's, over all pairs and metrics of one method: "


def render(models: Sequence[ComparedModel], tables: ComparisonTables) -> str:
    """Return the page; it depends on nothing but the runs, so its bytes are theirs."""
    title = f"Comparison of {len(models)} models"
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="quiet">{escape(describe(models[0].run.key))}</p>',
        *classes(models[0].run.key),
        *_coverage(models),
        _models(models),
    ]
    for metric in models[0].metrics:
        parts += _metric(metric, tables, positive(models[0].run.key))
    return document(
        title, [*parts, *_notes(tables), "<h2>What this follows from</h2>", _origin(models)]
    )


def _coverage(models: Sequence[ComparedModel]) -> Iterator[str]:
    for model in models:
        if model.n_failed:
            text = f"{model.n_failed} of {len(model.run.folds)} folds of model {model.number}"
            yield f'<p class="failed"><b>Incomplete.</b> {text} failed.</p>'


def _models(models: Sequence[ComparedModel]) -> str:
    rows = [
        [f"{model.number} {escape(model.label)}", f"<code>{escape(model.run_id)}</code>"]
        for model in models
    ]
    return table(["model", "run"], rows)


def _metric(metric: str, tables: ComparisonTables, about: str) -> Iterator[str]:
    models = [row for row in tables.models.to_pylist() if row["metric"] == metric]
    yield f"<h2>{escape(metric)}</h2>"
    yield about
    yield _ranking(models)
    yield from (
        f'<p class="notice">Model {row["number"]} is {escape(row["note"])}.</p>'
        for row in models
        if row["note"]
    )
    yield _pairs([row for row in tables.pairs.to_pylist() if row["metric"] == metric])
    drawn = {
        f"difference by fold, {first} - {second}": values
        for name, first, second, values in tables.differences
        if name == metric and values
    }
    yield scrolled(strips(f"{metric}: differences by fold", drawn, zero=0.0)) if drawn else ""


def _ranking(rows: list[dict[str, Any]]) -> str:
    head = ["model", "rank", "mean", "std", "95 % interval", "pooled", "folds"]
    cells = [
        [
            f"{row['number']} {escape(row['model'])}",
            str(row["rank"] or ""),
            number(row["mean"]),
            number(row["std"]),
            _range(row),
            number(row["pooled"]),
            f"{row['n_folds']} of {row['n_planned']}",
        ]
        for row in by_rank(rows)
    ]
    failed = frozenset(i for i, row in enumerate(cells) if not row[1])
    return table(head, cells, failed)


def _pairs(rows: Sequence[dict[str, Any]]) -> str:
    head = ["pair", "difference", "95 % interval", "statistic", "p", "adjusted&nbsp;p", "method"]
    cells = [
        [
            f"<span class='whole'>{row['first_number']} - {row['second_number']}</span>",
            number(row["difference"]),
            _range(row),
            number(row["statistic"]),
            escape(p_text(row["p"], "")),
            escape(p_text(row["p_adjusted"], "")),
            escape(sized(row)),
        ]
        for row in rows
    ]
    return table(head, cells)


def _notes(tables: ComparisonTables) -> Iterator[str]:
    rows = tables.pairs.to_pylist()
    families = "; ".join(dict.fromkeys(row["family"] for row in rows if row["family"]))
    yield "<h2>Notes</h2>"
    yield f"<p>{HIGHER}{f' {HOLM}{escape(families)}.' if families else ''}</p>"
    notes = dict.fromkeys((row["method"], row["note"]) for row in rows if row["note"])
    yield from (
        f"<p><small>{escape(method)}: {escape(note)}.</small></p>" for method, note in notes
    )


def _origin(models: Sequence[ComparedModel]) -> str:
    key = models[0].run.key
    facts = {"data": key["data"]["sha256"], "folds": key["split"]["sha256"]}
    rows = [[name, f"sha256 {escape(str(value))}"] for name, value in facts.items()]
    return facts_table([*rows, ["foldproof", escape(str(key["foldproof"]))]])


def _range(row: dict[str, Any]) -> str:
    low, high = row["ci_low"], row["ci_high"]
    return "" if low is None else f"{number(low)}&nbsp;to&nbsp;{number(high)}"
