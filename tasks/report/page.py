"""report.html: the run to look at, in one file without outside resources."""

from collections.abc import Mapping, Sequence
from typing import Any

from foldproof.tasks.evaluation.preprocessing import summarise_columns
from foldproof.tasks.evaluation.tables import Tables
from foldproof.tasks.evaluation.worst_case import class_count, worst_case_mean
from foldproof.tasks.report.estimates import interval_head
from foldproof.tasks.report.page_template import describe, fill_template
from foldproof.tasks.report.plots import spread


def render(tables: Tables, key: Mapping[str, Any], notices: Sequence[str]) -> str:
    """Return the page; it depends on nothing but the run, so its bytes are the run's."""
    builder = str(key["model"]["builder"])
    classes = class_count(tables.predictions.schema)
    summary = tables.summary.to_pylist()
    metrics = list(key["metrics"])
    return fill_template(
        "foldproof.tasks.report",
        "report.html.j2",
        key,
        title=f"{builder}: cross-validation",
        heading=builder,
        subtitle=describe(key),
        n_failed=tables.failed,
        notices=notices,
        summary=summary,
        worst_cases={
            row["metric"]: worst_case_mean(tables.folds, row["metric"], classes)
            for row in summary
            if tables.failed
        },
        metrics=metrics,
        interval_head=interval_head(key),
        spread=spread(tables, metrics),
        folds=tables.folds.to_pylist(),
        undefined_values=tables.undefined,
        columns=[] if tables.preprocessing is None else summarise_columns(tables.preprocessing),
    )
