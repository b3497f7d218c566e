"""Figures in words, with their numbers: the alternative for who does not see them."""

from collections.abc import Sequence

import numpy as np

from foldproof.tasks.common.text import number
from foldproof.tasks.evaluation.curves.calibration import calibration
from foldproof.tasks.evaluation.curves.curve import Curve
from foldproof.tasks.evaluation.curves.scored import Scored
from foldproof.tasks.evaluation.curves.threshold import METRICS, NET_BENEFIT
from foldproof.tasks.report.figures.forest import ForestRow
from foldproof.tasks.report.figures.learning import HELD_OUT
from foldproof.tasks.report.figures.lines import (
    BAND,
    MOST_LINES,
    labels_of,
    of_folds,
    of_kind,
    whole,
)
from foldproof.tasks.report.figures.regression import shown_rows

MOST_NAMED = 10  # classes that are named
PLACES = (0.1, 0.5, 0.9)  # of x, at which a mean is said
THRESHOLDS = (0.25, 0.5, 0.75)
ALL_ROWS = "All test rows."


def forest_words(rows: Sequence[ForestRow], interval: str) -> str:
    """Return each metric with its mean or pooled value, interval and range.

    Args:
        rows: of the plot.
        interval: what intervals are called, such as `95 % interval`.
    """
    return " ".join(_forest_row(row, interval) for row in rows)


def _forest_row(row: ForestRow, name: str) -> str:
    ends = "" if row.low is None else f"{number(row.low)} to {number(row.high)}"
    interval = f", {name} {ends}" if ends else ""
    spread = f"folds from {number(min(row.values))} to {number(max(row.values))}"
    return f"{row.name}: {number(row.estimate)}{interval}, {spread}."


def ranking_words(curves: Sequence[Curve], x: str, y: str) -> str:
    """Return what the lines of ROC or precision-recall curves are, and points of the means."""
    named = labels_of(curves)[:MOST_NAMED]
    points = (_points([c for c in curves if c.label == label], x, y) for label in named)
    return " ".join([_lines(curves), *points])


def _lines(curves: Sequence[Curve]) -> str:
    folds = {(curve.repeat, curve.fold) for curve in of_folds(curves)}
    if not folds:
        return "All test rows together."
    if len(labels_of(curves)) > 1:
        return f"Lines: mean over {len(folds)} folds; bands: standard deviation over folds."
    lines = f"the first {MOST_LINES} folds" if len(folds) > MOST_LINES else "one a fold"
    return f"Thin lines: {lines}; thick line: {BAND} ({len(folds)})."


def _points(curves: Sequence[Curve], x: str, y: str) -> str:
    mean = whole(curves)
    if mean is None:
        return ""
    values = np.interp(PLACES, mean.x, mean.y)
    pairs = zip(PLACES, values, strict=True)
    return f"{mean.label}: {y} {', '.join(f'{value:.2f} at {x} {at}' for at, value in pairs)}."


def calibration_words(scored: Scored) -> str:
    """Return slope, intercept and Brier score, with what they would be at best."""
    found = calibration(scored)
    line = "Slope and intercept do not exist: the scores separate the classes, or do not differ."
    if found.slope is not None:
        values = f"Slope {number(found.slope)} (1 is best), intercept {number(found.intercept)}"
        line = f"{values} (0 is best): logistic recalibration, scores clipped at 1e-6."
    brier = f"Brier score {number(found.brier)} (0 is best)."
    means = f"Mean score {number(found.mean_score)}, observed share {number(found.share)}."
    bars = "Points: tenths of the scores that have rows."
    interval = " Bars: 95 % interval (Wilson)." if scored.repeats == 1 else ""
    return f"{ALL_ROWS} {line} {brier} {means} {bars}{interval}"


def threshold_words(curves: Sequence[Curve]) -> str:
    """Return the metrics at some thresholds."""
    names = [name for name in METRICS if of_kind(curves, "threshold", name)]
    return f"{ALL_ROWS} {' '.join(f'{name}: {_at(curves, name)}.' for name in names)}"


def decision_words(curves: Sequence[Curve]) -> str:
    """Return the net benefit at some thresholds, and what it is."""
    return (
        f"{ALL_ROWS} Net benefit of the model: {_at(curves, NET_BENEFIT)}. It is true positives "
        "minus false positives, weighted by the odds of the threshold, a row; the model helps "
        "where its line lies above both others."
    )


def _at(curves: Sequence[Curve], name: str) -> str:
    found = of_kind(curves, "threshold", name)[0]
    values = np.interp(THRESHOLDS, found.x, found.y)
    return ", ".join(f"{value:.3f} at {at}" for at, value in zip(THRESHOLDS, values, strict=True))


def score_words(scored: Scored) -> str:
    """Return the median score of each class: of the positive one, or of the rows' own."""
    codes = range(min(len(scored.classes), MOST_NAMED))
    is_binary = scored.task == "binary"
    medians = ", ".join(
        f"{np.median(scored.scores[own, 1 if is_binary else code]):.2f} for {scored.classes[code]}"
        for code in codes
        if (own := scored.truth == code).any()
    )
    marks = "" if is_binary else " Line: all scores; thick: the middle half; mark: the median."
    return f"{ALL_ROWS} Median score: {medians}.{marks}"


def predicted_words(scored: Scored) -> str:
    """Return how many rows are drawn, and the correlation."""
    return f"{_drawn(scored)} Dotted line: predicted equals true.{_correlation(scored)}"


def residual_words(scored: Scored) -> str:
    """Return the median of what is left, and where most of it lies."""
    low, middle, high = np.quantile(scored.truth - scored.predicted, [0.05, 0.5, 0.95]).tolist()
    ends = f"nine of ten rows lie between {number(low)} and {number(high)}"
    return f"{_drawn(scored)} True minus predicted: median {number(middle)}; {ends}."


def _drawn(scored: Scored) -> str:
    rows = len(scored.truth)
    shown = len(shown_rows(rows))
    return ALL_ROWS if shown == rows else f"{shown} of {rows} test rows."


def _correlation(scored: Scored) -> str:
    if min(np.std(scored.truth), np.std(scored.predicted)) == 0:  # of one value, or underflowing
        return ""
    return f" Correlation {number(float(np.corrcoef(scored.truth, scored.predicted)[0, 1]))}."


def learning_words(curves: Sequence[Curve], name: str) -> str:
    """Return the first and last values of a training, of both kinds of rows."""
    kinds = (("Training rows", name), ("Held-out rows", HELD_OUT + name))
    said = [_first_and_last(text, of_kind(curves, "learning", label)) for text, label in kinds]
    folds = {(c.repeat, c.fold) for c in of_folds(of_kind(curves, "learning"))}
    lines = f"Thick: {BAND}." if len(folds) > 1 else ""
    return " ".join(filter(None, [*said, lines]))


def _first_and_last(text: str, curves: Sequence[Curve]) -> str:
    mean = whole(curves) or next(iter(curves), None)
    if mean is None:
        return ""
    first, last = number(float(mean.y[0])), number(float(mean.y[-1]))
    return f"{text}: {first} after the first epoch, {last} after the last."
