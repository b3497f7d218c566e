"""Metrics as a forest plot: folds, mean and interval of each, on one axis if on one scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from foldproof.tasks.report.estimates import estimate_of
from foldproof.tasks.report.figures.canvas import Draw, plain
from foldproof.tasks.report.figures.lines import is_drawable
from foldproof.tasks.report.figures.palette import BLUE, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_DOTS = 200  # folds of a metric that are drawn; of more, as many at equal distances


@dataclass(frozen=True)
class ForestRow:
    """A metric of the plot: its name, mean or pooled value, interval if any, values by fold."""

    name: str
    estimate: float | None
    low: float | None
    high: float | None
    values: Sequence[float]


def forest_rows(
    summary: Sequence[Mapping[str, Any]], values: Mapping[str, Sequence[float | None]]
) -> list[ForestRow]:
    """Return the metrics that have a value in any fold, and can be drawn."""
    found = []
    for row in summary:
        known = [value for value in values[row["metric"]] if value is not None]
        ends = (estimate_of(row)[0], row["ci_low"], row["ci_high"])
        ends_known = [end for end in ends if end is not None]
        if known and is_drawable(np.array([*known, *ends_known])):
            found.append(ForestRow(row["metric"].partition("@")[0], *ends, known))
    return found


def forest_panels(rows: Sequence[ForestRow]) -> list[list[ForestRow]]:
    """Return the rows by axis: shares of one have theirs in common, any other has its own."""
    shares = [row for row in rows if all(-1 <= value <= 1 for value in row.values)]
    return [*([shares] if shares else []), *([row] for row in rows if row not in shares)]


def forest_draws(panels: Sequence[Sequence[ForestRow]]) -> list[Draw]:
    """Return what draws each panel."""
    return [partial(draw_forest, rows=rows) for rows in panels]


def draw_forest(ax: "Axes", rows: Sequence[ForestRow]) -> "Axes":
    """Draw metrics below each other, on one axis."""
    for index, row in enumerate(rows):
        step = max(1, -(-len(row.values) // MOST_DOTS))
        shown = row.values[::step]
        ax.plot(shown, [index] * len(shown), "o", color=BLUE, alpha=0.45, markersize=5, mew=0)
        if row.low is not None and row.high is not None:
            ax.plot([row.low, row.high], [index + 0.22] * 2, color=ORANGE, linewidth=2)
        if row.estimate is not None:
            ax.plot([row.estimate], [index + 0.22], "D", color=ORANGE, markersize=5, mew=0)
        ax.annotate(
            plain(row.name, 44), (0, index - 0.28), xycoords=("axes fraction", "data"), va="center"
        )
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.margins(x=0.04)
    return ax
