"""report.html: the run to look at, in one file without outside resources."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from foldproof.tasks.data.target_facts import (
    WARNING,
    TargetFacts,
    classes_line,
    named_positive,
    positive_line,
)
from foldproof.tasks.evaluation.tables import Tables
from foldproof.tasks.evaluation.worst_case import classes_of, worst_case_mean

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem;
  padding: 0 1rem; color: #1c2733; background: #fff; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
h3 { font-size: 1rem; margin-top: 1.6rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: right; padding: .3rem .6rem; border-bottom: 1px solid #dde3ea;
  font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; }
.whole { white-space: nowrap; }
td.text { text-align: left; } .scroll { overflow-x: auto; overflow-wrap: normal; }
svg { display: block; min-width: 36rem; }
.facts { overflow-wrap: anywhere; } .facts td { text-align: left; }
.facts td:first-child { white-space: nowrap; }
@media (max-width: 40rem) { .scroll table { width: max-content; max-width: 48rem; } }
.notice { background: #fff5d6; border-left: 4px solid #d69a00; padding: .5rem .8rem; }
.failed { background: #fde8e6; border-left: 4px solid #c0392b; padding: .5rem .8rem; }
.failed td, tr.failed td { background: #fde8e6; }
small, .quiet { color: #5a6876; } code { font-size: .85em; }
svg text { font: 12px system-ui, sans-serif; fill: #3a4856; }
"""
WIDTH, LEFT, RIGHT, ROW = 900, 250, 40, 46


def render(tables: Tables, key: Mapping[str, Any], notices: Sequence[str]) -> str:
    """Return the page; it depends on nothing but the run, so its bytes are the run's."""
    parts = [
        f"<h1>{escape(str(key['model']['builder']))}</h1>",
        f'<p class="quiet">{escape(describe(key))}</p>',
        *classes(key),
        _coverage(tables),
        *(f'<p class="notice">{escape(notice)}</p>' for notice in notices),
        "<h2>Summary</h2>",
        positive(key),
        _summary(tables),
        "<h2>Spread over the folds</h2>",
        positive(key),
        scrolled(spread(tables, key["metrics"])),
        "<h2>Folds</h2>",
        positive(key),
        _folds(tables, key["metrics"]),
        _undefined(tables),
        "<h2>What this follows from</h2>",
        origin(key),
    ]
    return document(f"{key['model']['builder']}: cross-validation", parts)


def document(title: str, parts: Sequence[str]) -> str:
    """Return a whole page of some parts, which are markup; the title is text."""
    body = "\n".join(part for part in parts if part)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head += f"<title>{escape(title)}</title><style>{STYLE}</style>"
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def describe(key: Mapping[str, Any]) -> str:
    """Say in a line what data, folds and seed a run has."""
    data, split = key["data"], key["split"]
    shape = " x ".join(map(str, data["feature_shape"]))
    rows = f"{data['rows']} rows, {shape} features, {data['settings']['task']}"
    return f"{rows}; {split['folds']} folds by {split['method']}; seed {key['seed']}"


def classes(key: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a report begins with: the positive label, and all labels with their counts."""
    facts = TargetFacts.of_key(key)
    if facts is None:
        return
    line = positive_line(facts)
    mood = "notice" if line.startswith(WARNING) else "positive"
    yield f'<p class="{mood}">{escape(line)}</p>' if line else ""
    yield f'<p class="quiet">{escape(classes_line(facts))}</p>'


def positive(key: Mapping[str, Any]) -> str:
    """Return which label numbers beside it are about; nothing unless the task is binary."""
    facts = TargetFacts.of_key(key)
    named = named_positive(facts) if facts else ""
    return f'<p class="quiet">positive: {escape(named)}</p>' if named else ""


def _coverage(tables: Tables) -> str:
    if not tables.failed:
        return ""
    planned = tables.folds.num_rows
    done = planned - tables.failed
    text = f"{tables.failed} of {planned} folds failed. All numbers cover the {done} others only."
    text += (
        " The worst case is the mean if the failed folds had a metric's lowest value; "
        "metrics without one have none."
    )
    return f'<p class="failed"><b>Incomplete.</b> {text}</p>'


def _summary(tables: Tables) -> str:
    worst = ["worst case"] if tables.failed else []
    classes = classes_of(tables.predictions.schema)
    head = ["metric", "folds", "mean", *worst, "std", "95 % interval", "pooled"]
    head.append("interval's method")
    rows = [
        [
            escape(row["metric"]),
            f"{row['n_folds']} of {row['n_planned']}",
            number(row["mean"]),
            *(number(worst_case_mean(tables.folds, row["metric"], classes)) for _ in worst),
            number(row["std"]),
            "" if row["ci_low"] is None else f"{number(row['ci_low'])} to {number(row['ci_high'])}",
            number(row["pooled"]),
            escape(row["ci_method"]),
        ]
        for row in tables.summary.to_pylist()
    ]
    note = (
        "<p><small>The standard deviation describes the spread over folds; folds share "
        "training rows, so it is no standard error of the mean.</small></p>"
    )
    return table(head, rows) + note


def _folds(tables: Tables, metrics: Sequence[str]) -> str:
    head = ["repeat / fold", "train", "test", "epochs", *metrics, "weights"]
    rows = []
    failed: set[int] = set()
    for index, row in enumerate(tables.folds.to_pylist()):
        if row["status"] == "failed":
            failed.add(index)
        epochs = "" if row["epochs_run"] is None else str(row["epochs_run"])
        best = "" if row["best_epoch"] is None else f" (best {row['best_epoch']})"
        end = escape(row["error"] or "") or f"<code>{(row['weights_sha256'] or '')[:12]}</code>"
        place = f"{row['repeat']}/{row['fold']}"
        values = [number(row[name]) for name in metrics]
        rows.append([place, str(row["n_train"]), str(row["n_test"]), epochs + best, *values, end])
    return table([escape(name) for name in head], rows, frozenset(failed))


def _undefined(tables: Tables) -> str:
    if not tables.undefined:
        return ""
    rows = [
        [f"{repeat}/{fold}", escape(metric), escape(reason)]
        for repeat, fold, metric, reason in tables.undefined
    ]
    return "<h2>Undefined values</h2>" + table(["repeat / fold", "metric", "reason"], rows)


def origin(key: Mapping[str, Any]) -> str:
    """Return a table of what a run's numbers follow from."""
    numerics = key["numerics"]
    libraries = ", ".join(f"{name} {version}" for name, version in numerics["libraries"].items())
    facts = {
        "data": f"sha256 {key['data']['sha256']}",
        "folds": f"sha256 {key['split']['sha256']}",
        "foldproof": key["foldproof"],
        "libraries": libraries,
        "device": f"{numerics['device']}, {numerics['threads']} thread(s) a fold",
    }
    rows = [[escape(name), escape(str(value))] for name, value in facts.items()]
    return facts_table(rows)


def spread(tables: Tables, metrics: Sequence[str]) -> str:
    """Draw a strip of dots for each metric, one dot a fold, with the mean as a bar."""
    return strips("values by fold", {name: tables.folds[name].to_pylist() for name in metrics})


def strips(
    label: str, values: Mapping[str, Sequence[float | None]], zero: float | None = None
) -> str:
    """Draw a strip of dots for each name.

    Args:
        label: what is drawn, for readers who do not see it.
        values: by name, which is shown; None is left out.
        zero: a value that every strip shows as a dashed line.
    """
    drawn = []
    for index, (name, all_of_it) in enumerate(values.items()):
        known = [value for value in all_of_it if value is not None]
        drawn.append(_strip(name, known, index * ROW, zero) if known else "")
    svg = f'<svg viewBox="0 0 {WIDTH} {ROW * len(values)}" role="img" aria-label="{escape(label)}">'
    return f"{svg}{''.join(drawn)}</svg>"


def _strip(name: str, values: Sequence[float], top: int, zero: float | None) -> str:
    shown = [*values, *([] if zero is None else [zero])]
    low, high = min(shown), max(shown)
    span = (high - low) or 1.0
    middle = top + ROW // 2

    def place(value: float) -> str:
        return f"{LEFT + (value - low) / span * (WIDTH - LEFT - 2 * RIGHT) + RIGHT:.1f}"

    mean = place(sum(values) / len(values))
    dots = "".join(
        f'<circle cx="{place(v)}" cy="{middle}" r="5" fill="#2b6cb0" fill-opacity=".45"/>'
        for v in values
    )
    line = (
        f'<line x1="{place(low)}" x2="{place(high)}" y1="{middle}" y2="{middle}" stroke="#cfd8e3"/>'
    )
    ends_of_bar = f'y1="{middle - 10}" y2="{middle + 10}"'
    bar = f'<line x1="{mean}" x2="{mean}" {ends_of_bar} stroke="#c05621" stroke-width="2"/>'
    label = f'<text x="0" y="{middle + 4}">{escape(name)}</text>'
    ends = "".join(
        f'<text x="{place(value)}" y="{middle + 21}" text-anchor="middle">{number(value)}</text>'
        for value in dict.fromkeys((low, high))
    )
    return label + line + _zero_line(zero, place, middle) + dots + bar + ends


def _zero_line(zero: float | None, place: Callable[[float], str], middle: int) -> str:
    if zero is None:
        return ""
    x, ends = place(zero), f'y1="{middle - 14}" y2="{middle + 8}"'
    return f'<line x1="{x}" x2="{x}" {ends} stroke="#5a6876" stroke-dasharray="3 3"/>'


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], failed: frozenset[int] = frozenset()
) -> str:
    """Return a table of markup; failed rows, by their number, are marked."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(
        f"<tr{' class=failed' if index in failed else ''}>"
        + "".join(f"<td>{cell}</td>" for cell in row)
        + "</tr>"
        for index, row in enumerate(rows)
    )
    return scrolled(f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>")


def facts_table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table of markup without a head, whose long words break on a narrow screen."""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<table class="facts"><tbody>{body}</tbody></table>'


def scrolled(markup: str) -> str:
    """Return what may be wider than the screen in a box of its own that scrolls."""
    return f'<div class="scroll">{markup}</div>' if markup else ""


def number(value: float | None) -> str:
    """Write a value for people; nothing where there is none."""
    return "" if value is None else f"{value:.4f}" if abs(value) < 1000 else f"{value:.6g}"
