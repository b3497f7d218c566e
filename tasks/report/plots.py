"""Plots for pages, as SVG: a strip of dots for each metric, one dot a fold."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

from foldproof.tasks.common.text import number
from foldproof.tasks.evaluation.tables import Tables

WIDTH, LEFT, RIGHT, ROW = 900, 250, 40, 46


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
