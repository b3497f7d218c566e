"""ROC and precision-recall curves of the folds, with mean and band; of many classes the means."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from foldproof.tasks.evaluation.curves.curve import Curve
from foldproof.tasks.report.figures.canvas import plain
from foldproof.tasks.report.figures.lines import (
    draw_folds,
    draw_mean,
    labels_of,
    of_folds,
    of_kind,
    whole,
)
from foldproof.tasks.report.figures.palette import QUIET, series

MOST_IN_LEGEND = 10  # classes
Place = Literal["lower left", "lower right"]

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_roc(ax: "Axes", curves: Sequence[Curve]) -> "Axes":
    """Draw ROC curves, with the diagonal of guessing."""
    ax.plot([0, 1], [0, 1], color=QUIET, linestyle=":", linewidth=1)
    _draw(ax, of_kind(curves, "roc"), "lower right")
    ax.set(xlabel="1 - specificity (false positive rate)", ylabel="sensitivity (recall)")
    return _unit(ax)


def draw_precision_recall(ax: "Axes", curves: Sequence[Curve]) -> "Axes":
    """Draw precision-recall curves."""
    _draw(ax, of_kind(curves, "pr"), "lower left", "steps-pre")
    ax.set(xlabel="recall (sensitivity)", ylabel="precision")
    return _unit(ax)


def _draw(ax: "Axes", curves: Sequence[Curve], place: Place, steps: str = "default") -> None:
    labels = labels_of(curves)
    for index, label in enumerate(labels):
        colour, style = series(index)
        own = of_kind(curves, curves[0].kind, label)
        if len(labels) == 1:
            draw_folds(ax, of_folds(own), colour, steps)
        if (mean := whole(own)) is not None:
            draw_mean(ax, mean, colour, style, plain(label) if len(labels) > 1 else "")
    if 1 < len(labels) <= MOST_IN_LEGEND:
        ax.legend(loc=place)


def _unit(ax: "Axes") -> "Axes":
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
    return ax
