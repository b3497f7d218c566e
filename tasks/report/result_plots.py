"""Plots of a result, onto matplotlib's axes: what report.html shows, for papers and notebooks."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pyarrow import parquet

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.evaluation.curves.curve import Curve, curves_of
from foldproof.tasks.evaluation.curves.scored import Scored, scored_predictions
from foldproof.tasks.report.figures.calibration import draw_calibration
from foldproof.tasks.report.figures.learning import draw_learning, learned_names
from foldproof.tasks.report.figures.lines import of_kind
from foldproof.tasks.report.figures.ranking import draw_precision_recall, draw_roc
from foldproof.tasks.report.figures.regression import draw_predicted, draw_residuals
from foldproof.tasks.report.figures.scores import draw_scores
from foldproof.tasks.report.figures.thresholds import draw_decision, draw_thresholds
from foldproof.tasks.report.folder import CURVES

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class ResultPlots:
    """What a result can draw; each method takes axes, or makes some, and returns them."""

    path: Path

    def plot_roc(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the ROC curve of each fold, with mean and band; of several classes the means."""
        return draw_roc(_axes(ax), self._curves("roc"))

    def plot_precision_recall(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the precision-recall curve of each fold, with mean and band."""
        return draw_precision_recall(_axes(ax), self._curves("pr"))

    def plot_calibration(self, ax: "Axes | None" = None) -> "Axes":
        """Draw shares of positives against scores, with Wilson's intervals."""
        return draw_calibration(_axes(ax), self._curves("calibration"))

    def plot_thresholds(self, ax: "Axes | None" = None) -> "Axes":
        """Draw sensitivity, specificity and precision against the threshold."""
        return draw_thresholds(_axes(ax), self._curves("threshold"))

    def plot_decision(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the decision curve: net benefit against the threshold."""
        return draw_decision(_axes(ax), self._curves("threshold"))

    def plot_learning(self, ax: "Axes | None" = None, metric: str | None = None) -> "Axes":
        """Draw a value of all folds by epoch, of training and of held-out rows.

        Args:
            ax: where to.
            metric: as Keras has it; default: the loss.
        """
        curves = self._curves("learning")
        names = learned_names(curves)
        if metric is not None and metric not in names:
            raise InputError("metric", f"{metric!r} was not recorded; use one of {names}")
        return draw_learning(_axes(ax), curves, metric or names[0])

    def plot_scores(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the scores of the positive class, by true class."""
        return self._draw(ax, "binary", draw_scores)

    def plot_predicted(self, ax: "Axes | None" = None) -> "Axes":
        """Draw a regression's predicted against its true values."""
        return self._draw(ax, "regression", draw_predicted)

    def plot_residuals(self, ax: "Axes | None" = None) -> "Axes":
        """Draw what is left of a regression's true values."""
        return self._draw(ax, "regression", draw_residuals)

    def _curves(self, kind: str) -> list[Curve]:
        """Return the curves of a kind.

        Raises:
            InputError: the run has none.
        """
        found = of_kind(self._all_curves, kind)
        if not found:
            raise InputError("result", f"this run has no curve of the kind {kind!r}")
        return found

    @cached_property
    def _all_curves(self) -> list[Curve]:
        file = self.path / CURVES
        return list(curves_of(parquet.read_table(file))) if file.exists() else []

    @cached_property
    def _scored(self) -> Scored | None:
        return scored_predictions(parquet.read_table(self.path / "predictions.parquet"))

    def _draw(self, ax: "Axes | None", task: str, draw: "Callable[[Axes, Scored], Axes]") -> "Axes":
        if self._scored is None or self._scored.task != task:
            raise InputError("result", f"this plot is of a {task} task, and the run's is another")
        return draw(_axes(ax), self._scored)


def _axes(ax: "Axes | None") -> "Axes":
    """Return the axes that were given, or those of a new figure, as pyplot makes it."""
    if ax is not None:
        return ax
    from matplotlib import pyplot  # here: only it knows how a notebook shows a figure

    return pyplot.subplots()[1]
