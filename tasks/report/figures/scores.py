"""The scores of each class: what share of its rows has which score."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foldproof.tasks.evaluation.curves.scored import Scored
from foldproof.tasks.report.figures.canvas import plain
from foldproof.tasks.report.figures.palette import QUIET, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS = 20
FILLS = (0.25, 0.12)


def draw_scores(ax: "Axes", scored: Scored, threshold: float | None = None) -> "Axes":
    """Draw a histogram of the positive class's score for either class of a binary task."""
    edges = np.linspace(0.0, 1.0, BINS + 1)
    for code, label in enumerate(scored.classes):
        own = scored.scores[scored.truth == code, 1]
        if not len(own):
            continue
        share = np.histogram(own, edges)[0] / len(own)
        colour, _ = series(code)
        ax.stairs(share, edges, color=colour, fill=True, alpha=FILLS[code], linewidth=0)
        style = ("-", "--")[code]
        ax.stairs(share, edges, color=colour, linestyle=style, linewidth=1.4, label=plain(label))
    if threshold is not None:
        ax.axvline(threshold, color=QUIET, linestyle=":", linewidth=1)
    ax.legend(loc="upper center")
    ax.set(xlabel=plain(f"score of {scored.classes[1]}", 40), ylabel="share of the class's rows")
    ax.set(xlim=(-0.02, 1.02))
    return ax


def draw_true_scores(ax: "Axes", scored: Scored, codes: Sequence[int]) -> "Axes":
    """Draw boxes of the score that each class's rows gave to that class."""
    for place, code in enumerate(codes):
        own = scored.scores[scored.truth == code, code]
        if len(own):
            colour, _ = series(place)
            _box(ax, place, np.quantile(own, [0, 0.25, 0.5, 0.75, 1]).tolist(), colour)
        ax.annotate(
            plain(scored.classes[code], 40),
            (0, place - 0.34),
            xycoords=("axes fraction", "data"),
            va="center",
        )
    ax.set(xlabel="score of the true class", xlim=(-0.02, 1.02), yticks=[])
    ax.set_ylim(len(codes) - 0.5, -0.7)
    ax.spines["left"].set_visible(False)
    return ax


def _box(ax: "Axes", place: int, ends: Sequence[float], colour: str) -> None:
    least, low, middle, high, most = ends
    ax.plot([least, most], [place] * 2, color=colour, linewidth=1)
    ax.plot([low, high], [place] * 2, color=colour, linewidth=6, alpha=0.45, solid_capstyle="butt")
    ax.plot([middle], [place], "|", color=colour, markersize=12, mew=2)
