"""Learning curves: a value by epoch, of training rows and of those that were held out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foldproof.tasks.evaluation.curves.curve import Curve
from foldproof.tasks.report.figures.canvas import plain
from foldproof.tasks.report.figures.lines import (
    draw_folds,
    draw_mean,
    is_drawable,
    labels_of,
    of_folds,
    of_kind,
    whole,
)
from foldproof.tasks.report.figures.palette import BLUE, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HELD_OUT = "val_"


def learned_names(curves: Sequence[Curve]) -> list[str]:
    """Return what was recorded and can be drawn, the loss first; a name a pair of both rows."""
    learning = of_kind(curves, "learning")
    unfit = {curve.label for curve in learning if not is_drawable(curve.y)}
    names = [name for name in labels_of(learning) if name not in unfit]
    bare = dict.fromkeys(name.removeprefix(HELD_OUT) for name in names)
    return sorted(bare, key=lambda name: name != "loss")


def draw_learning(ax: "Axes", curves: Sequence[Curve], name: str = "loss") -> "Axes":
    """Draw a value of all folds by epoch.

    Args:
        ax: where to.
        curves: among them those of kind learning.
        name: of the value, as Keras has it.
    """
    for label, colour, style in ((name, BLUE, "-"), (HELD_OUT + name, ORANGE, "--")):
        own = of_kind(curves, "learning", label)
        draw_folds(ax, of_folds(own), colour)
        mean = whole(own) or next(iter(own), None)
        if mean is not None:
            shown = "held out" if label != name else "training"
            draw_mean(ax, mean, colour, style, f"{shown}, mean" if len(own) > 1 else shown)
    if ax.lines:
        ax.legend(loc="upper right")
    ax.locator_params(axis="x", integer=True)
    ax.set(xlabel="epoch", ylabel=plain(name))
    return ax
