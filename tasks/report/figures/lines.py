"""What figures of curves share: thin lines of folds, a mean, a band."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.curves.curve import Curve, Values
from foldproof.tasks.report.figures.palette import BLUE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES = 50  # folds that are drawn one by one
LARGEST = 1e100
MOST_POINTS = 200  # of a line; of more, as many are taken at equal distances
BAND = "mean over folds; band: standard deviation over folds"


def draw_folds(
    ax: "Axes", curves: Sequence[Curve], colour: str = BLUE, steps: str = "default"
) -> None:
    """Draw the curves of folds as thin lines; of many, the first ones."""
    alone = len(curves) == 1
    thin: dict[str, Any] = {} if alone else {"linewidth": 0.7, "alpha": 0.45}
    for curve in curves[:MOST_LINES]:
        x, y = thinned(curve.x, curve.y)
        ax.plot(x, y, color=colour, drawstyle=steps, **thin)


def draw_mean(
    ax: "Axes", curve: Curve, colour: str = BLUE, style: str = "-", label: str = ""
) -> None:
    """Draw a mean, with its band if it has one."""
    if curve.low is not None and curve.high is not None:
        ax.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.18, linewidth=0)
    ax.plot(curve.x, curve.y, color=colour, linestyle=style, label=label or None)


def thinned(x: Values, y: Values, most: int = MOST_POINTS) -> tuple[Values, Values]:
    """Return a line's points, or as many of them as can be seen."""
    if len(x) <= most:
        return x, y
    taken = np.unique(np.linspace(0, len(x) - 1, most).round().astype(int))
    return x[taken], y[taken]


def of_kind(curves: Sequence[Curve], kind: str, label: str | None = None) -> list[Curve]:
    """Return the curves of a kind, of one label or of all."""
    return [c for c in curves if c.kind == kind and (label is None or c.label == label)]


def of_folds(curves: Sequence[Curve]) -> list[Curve]:
    """Return those that are of a single fold."""
    return [curve for curve in curves if curve.fold is not None]


def whole(curves: Sequence[Curve]) -> Curve | None:
    """Return the one that is a mean, or of all rows; None where there is none."""
    return next((curve for curve in curves if curve.fold is None), None)


def labels_of(curves: Sequence[Curve]) -> list[str]:
    """Return the labels, each once."""
    return list(dict.fromkeys(curve.label for curve in curves))


def is_drawable(values: Values | NDArray[np.int64]) -> bool:
    """Return whether all values can be placed on an axis: squares of larger ones overflow."""
    return bool(np.isfinite(values).all() and (np.abs(values) < LARGEST).all())
