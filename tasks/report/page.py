"""report.html: the run to look at, in one file without outside resources."""

from collections.abc import Mapping, Sequence
from typing import Any

from foldproof.tasks.evaluation.preprocessing import summarise_columns
from foldproof.tasks.evaluation.tables import Tables
from foldproof.tasks.evaluation.worst_case import class_count, worst_case_mean
from foldproof.tasks.report.estimates import interval_head
from foldproof.tasks.report.figures.all_figures import figures, forest
from foldproof.tasks.report.page_template import describe, fill_template
from foldproof.tasks.report.sections.checks import checks
from foldproof.tasks.report.sections.first_screen import first_facts, main_result
from foldproof.tasks.report.sections.glossary import glossary
from foldproof.tasks.report.sections.rows import confusion, most_wrong

VERIFY = "foldproof verify ."
REPEAT = "foldproof cv --config settings.yaml --data.source YOUR_FILE"


def render(tables: Tables, key: Mapping[str, Any], notices: Sequence[str]) -> str:
    """Return the page; it depends on nothing but the run, so its bytes are the run's."""
    builder = str(key["model"]["builder"])
    classes = class_count(tables.predictions.schema)
    summary = tables.summary.to_pylist()
    metrics = list(key["metrics"])
    threshold = next((x for x in tables.folds["threshold"].to_pylist() if x is not None), None)
    scored = tables.scored
    return fill_template(
        "foldproof.tasks.report",
        "report.html.j2",
        key,
        title=f"{builder}: cross-validation",
        heading=builder,
        subtitle=describe(key),
        main_result=main_result(summary, interval_head(key)),
        facts=first_facts(tables, key),
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
        forest=forest(tables, interval_head(key)),
        figures=list(figures(tables, threshold)),
        threshold=threshold,
        confusion=confusion(scored),
        classes=scored.classes if scored else (),
        most_wrong=most_wrong(scored),
        repeats=key["split"]["settings"]["n_repeats"],
        folds=tables.folds.to_pylist(),
        undefined_values=tables.undefined,
        columns=[] if tables.preprocessing is None else summarise_columns(tables.preprocessing),
        checks=checks(tables, key),
        is_of_objects="@" in builder,
        verify=VERIFY,
        repeat=REPEAT,
        glossary=glossary(
            metrics, key["data"]["settings"]["task"], key["split"]["settings"]["n_repeats"]
        ),
    )
