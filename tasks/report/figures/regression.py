"""A regression's predictions: against the true values, and what is left."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.curves.scored import Scored
from foldproof.tasks.report.figures.palette import BLUE, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_DOTS = 1_000  # rows that are drawn; of more, as many at equal distances


def shown_rows(rows: int) -> NDArray[np.int64]:
    """Return which rows are drawn."""
    step = max(1, -(-rows // MOST_DOTS))
    return np.arange(0, rows, step)


def draw_predicted(ax: "Axes", scored: Scored) -> "Axes":
    """Draw predicted against true values, with the line where both are equal."""
    taken = shown_rows(len(scored.truth))
    truth, predicted = scored.truth[taken], scored.predicted[taken]
    ends = [min(truth.min(), predicted.min()), max(truth.max(), predicted.max())]
    ax.plot(ends, ends, color=QUIET, linestyle=":", linewidth=1)
    ax.plot(truth, predicted, "o", color=BLUE, alpha=0.45, markersize=3.5, mew=0)
    ax.set(xlabel="true value", ylabel="predicted value")
    return ax


def draw_residuals(ax: "Axes", scored: Scored) -> "Axes":
    """Draw what is left of the true values, against the predicted ones."""
    taken = shown_rows(len(scored.truth))
    predicted = scored.predicted[taken]
    ax.axhline(0, color=QUIET, linestyle=":", linewidth=1)
    left = scored.truth[taken] - predicted
    ax.plot(predicted, left, "o", color=BLUE, alpha=0.45, markersize=3.5, mew=0)
    ax.set(xlabel="predicted value", ylabel="true minus predicted")
    return ax
