"""What another threshold would give: sensitivity, specificity, precision; and net benefit."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foldproof.tasks.evaluation.curves.curve import Curve
from foldproof.tasks.evaluation.curves.threshold import METRICS, NET_BENEFIT, TREAT_ALL
from foldproof.tasks.report.figures.lines import of_kind
from foldproof.tasks.report.figures.palette import BLUE, ORANGE, QUIET, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CURVES = ((NET_BENEFIT, "the model", BLUE, "-"), (TREAT_ALL, "all positive", ORANGE, "--"))


def draw_thresholds(ax: "Axes", curves: Sequence[Curve], threshold: float | None = None) -> "Axes":
    """Draw metrics against the threshold, with the one that was used as a dotted line."""
    for index, name in enumerate(METRICS):
        for curve in of_kind(curves, "threshold", name):
            colour, _ = series(index)
            ax.plot(curve.x, curve.y, color=colour, linestyle=("-", "--", "-.")[index], label=name)
    if threshold is not None:
        ax.axvline(threshold, color=QUIET, linestyle=":", linewidth=1)
    if ax.lines:
        ax.legend(loc="lower center")
    ax.set(xlabel="threshold", ylabel="value", xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
    return ax


def draw_decision(ax: "Axes", curves: Sequence[Curve]) -> "Axes":
    """Draw the net benefit of the model, of calling all rows positive, and of none."""
    top = 0.0
    for name, label, colour, style in CURVES:
        for curve in of_kind(curves, "threshold", name):
            ax.plot(curve.x, curve.y, color=colour, linestyle=style, label=label)
            top = max(top, float(curve.y.max()))
    ax.axhline(0, color=QUIET, linestyle=":", linewidth=1.4, label="none positive")
    ax.legend(loc="upper right")
    room = 1.3 * max(top, 0.05)
    ax.set(xlabel="threshold probability", ylabel="net benefit", xlim=(-0.02, 1.02))
    ax.set_ylim(-0.25 * room, room)
    return ax
