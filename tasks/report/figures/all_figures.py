"""The figures of a report's page, each with its alternative in words."""

from collections.abc import Iterator, Sequence
from functools import partial

from foldproof.tasks.evaluation.curves.curve import Curve
from foldproof.tasks.evaluation.curves.scored import Scored
from foldproof.tasks.evaluation.tables import Tables
from foldproof.tasks.report.figures import words
from foldproof.tasks.report.figures.calibration import draw_calibration
from foldproof.tasks.report.figures.canvas import Picture, picture
from foldproof.tasks.report.figures.forest import forest_draws, forest_panels, forest_rows
from foldproof.tasks.report.figures.learning import draw_learning, learned_names
from foldproof.tasks.report.figures.lines import is_drawable, labels_of, of_kind
from foldproof.tasks.report.figures.ranking import draw_precision_recall, draw_roc
from foldproof.tasks.report.figures.regression import draw_predicted, draw_residuals
from foldproof.tasks.report.figures.scores import draw_scores, draw_true_scores
from foldproof.tasks.report.figures.thresholds import draw_decision, draw_thresholds

MOST_LEARNED = 3  # values by epoch that have a figure
NARROW = 0.14  # inches beside axes without names


def forest(tables: Tables, interval: str) -> Picture | None:
    """Return the forest plot of the metrics; None where none has a value.

    Args:
        tables: what the folds were reduced to.
        interval: what intervals are called, such as `95 % interval`.
    """
    summary = tables.summary.to_pylist()  # of several targets with a row for each of them
    values = {row["metric"]: tables.folds[row["metric"]].to_pylist() for row in summary}
    panels = forest_panels(forest_rows(summary, values))
    if not panels:
        return None
    rows = [row for panel in panels for row in panel]
    height = 0.65 + 0.5 * len(rows) + 0.5 * (len(panels) - 1)
    text, draws = words.forest_words(rows, interval), forest_draws(panels)
    return picture("forest", "Metrics by fold", text, draws, height, NARROW)


def figures(tables: Tables, threshold: float | None) -> Iterator[Picture]:
    """Yield the figures that the predictions and the history have."""
    scored, curves = tables.scored, tables.curves
    yield from _ranking(curves)
    if scored is not None:
        yield from _of_predictions(scored, curves, threshold)
    for index, name in enumerate(learned_names(curves)[:MOST_LEARNED]):
        draw = partial(draw_learning, curves=curves, name=name)
        title, text = f"Learning: {name} by epoch", words.learning_words(curves, name)
        yield picture(f"learning{index}", title, text, draw)


def _ranking(curves: Sequence[Curve]) -> Iterator[Picture]:
    kinds = (
        ("roc", "ROC curve", draw_roc, "false positive rate", "sensitivity"),
        ("pr", "Precision-recall curve", draw_precision_recall, "recall", "precision"),
    )
    for kind, title, draw, x, y in kinds:
        if own := of_kind(curves, kind):
            labels = labels_of(own)
            of = " of each class against the rest" if len(labels) > 1 else f" of {labels[0]}"
            text = words.ranking_words(own, x, y)
            yield picture(kind, title + of, text, partial(draw, curves=own))


def _of_predictions(
    scored: Scored, curves: Sequence[Curve], threshold: float | None
) -> Iterator[Picture]:
    if scored.task == "binary":
        yield from _binary(scored, curves, threshold)
    elif scored.task == "multiclass":
        yield _true_scores(scored)
    elif is_drawable(scored.truth) and is_drawable(scored.predicted):
        text, draw = words.predicted_words(scored), partial(draw_predicted, scored=scored)
        yield picture("predicted", "Predicted against true", text, draw)
        text, draw = words.residual_words(scored), partial(draw_residuals, scored=scored)
        yield picture("residuals", "Residuals", text, draw)


def _binary(scored: Scored, curves: Sequence[Curve], threshold: float | None) -> Iterator[Picture]:
    label = scored.classes[1]
    line = " Dotted line: the threshold that was used." if threshold is not None else ""
    title, text = f"Calibration of the score of {label}", words.calibration_words(scored)
    yield picture("calibration", title, text, partial(draw_calibration, curves=curves))
    title, text = "Metrics against the threshold", words.threshold_words(curves) + line
    draw = partial(draw_thresholds, curves=curves, threshold=threshold)
    yield picture("threshold", title, text, draw)
    title, text = "Decision curve", words.decision_words(curves)
    yield picture("decision", title, text, partial(draw_decision, curves=curves))
    title, text = f"Scores of {label} by true class", words.score_words(scored) + line
    drawn = partial(draw_scores, scored=scored, threshold=threshold)
    yield picture("scores", title, text, drawn)


def _true_scores(scored: Scored) -> Picture:
    codes = range(min(len(scored.classes), words.MOST_NAMED))
    draw = partial(draw_true_scores, scored=scored, codes=codes)
    title, text = "Scores of the true class", words.score_words(scored)
    return picture("scores", title, text, draw, 0.9 + 0.42 * len(codes), NARROW)
