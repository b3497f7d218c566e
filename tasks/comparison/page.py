"""comparison.html: the models side by side, in one file without outside resources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foldproof.tasks.comparison.models import ComparedModel
from foldproof.tasks.comparison.tables import ComparisonTables
from foldproof.tasks.comparison.texts import better, by_rank, conclusion, method_with_sizes, p_text
from foldproof.tasks.report.estimates import interval_head
from foldproof.tasks.report.page_template import describe, fill_template
from foldproof.tasks.report.plots import strips


@dataclass(frozen=True)
class MetricSection:
    """What the page shows of one metric: rows of both tables, and a plot of the differences."""

    name: str
    models: Sequence[Mapping[str, Any]]
    pairs: Sequence[Mapping[str, Any]]
    differences: str
    conclusion: str


def render(models: Sequence[ComparedModel], tables: ComparisonTables) -> str:
    """Return the page; it depends on nothing but the runs, so its bytes are theirs."""
    title, key = f"Comparison of {len(models)} models", models[0].run.key
    pairs = tables.pairs.to_pylist()
    return fill_template(
        "foldproof.tasks.comparison",
        "comparison.html.j2",
        key,
        title=title,
        heading=title,
        subtitle=describe(key),
        models=models,
        metrics=[_section(metric, tables) for metric in models[0].metrics],
        families=dict.fromkeys(row["family"] for row in pairs if row["family"]),
        notes=dict.fromkeys((row["method"], row["note"]) for row in pairs if row["note"]),
        origin={
            "data": f"sha256 {key['data']['sha256']}",
            "folds": f"sha256 {key['split']['sha256']}",
            "foldproof": key["foldproof"],
        },
        better=better(tables.models.to_pylist()),
        by_rank=by_rank,
        p_text=p_text,
        sized=method_with_sizes,
        interval_head=interval_head(key),
    )


def _section(metric: str, tables: ComparisonTables) -> MetricSection:
    drawn = {
        f"difference by fold, {first} - {second}": values
        for name, first, second, values in tables.differences
        if name == metric and values
    }
    models, pairs = (
        [row for row in table.to_pylist() if row["metric"] == metric]
        for table in (tables.models, tables.pairs)
    )
    return MetricSection(
        metric,
        models,
        pairs,
        strips(f"{metric}: differences by fold", drawn, zero=0.0) if drawn else "",
        conclusion(models, pairs),
    )
