"""Calibration: the share that was observed against the score, with the line of a perfect one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from foldproof.tasks.evaluation.curves.curve import Curve
from foldproof.tasks.report.figures.lines import of_kind
from foldproof.tasks.report.figures.palette import BLUE, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_calibration(ax: "Axes", curves: Sequence[Curve]) -> "Axes":
    """Draw the points with their intervals, if they have any."""
    ax.plot([0, 1], [0, 1], color=QUIET, linestyle=":", linewidth=1)
    for curve in of_kind(curves, "calibration"):
        if curve.low is not None and curve.high is not None:
            reach = np.maximum([curve.y - curve.low, curve.high - curve.y], 0.0)
            ax.errorbar(curve.x, curve.y, reach, fmt="none", ecolor=BLUE, elinewidth=1, capsize=2)
        ax.plot(curve.x, curve.y, color=BLUE, marker="o", markersize=4, linewidth=1)
    ax.set(xlabel="mean score of the rows", ylabel="share of positives among them")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
    return ax
