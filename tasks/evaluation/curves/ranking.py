"""ROC and precision-recall curves: each fold's, and their mean.

The points are those of scikit-learn's roc_curve and precision_recall_curve without intermediate
ones, computed here because a call of either takes milliseconds, and there may be 1,000 folds.

The mean is taken at fixed values of x (vertical averaging). A precision between two points of a
curve is that of the next higher recall, as in scikit-learn's average_precision.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.curves.curve import Curve, Values, mean_with_band
from foldproof.tasks.evaluation.curves.scored import Scored

GRID = np.arange(101) / 100
MOST_CLASSES = 20  # one against the rest
MOST_BY_CLASS = 2_000  # folds times classes; beyond, all rows of a class give one curve

Part = tuple[int | None, int | None, NDArray[np.bool_], Values]  # repeat, fold, truth, score
Points = tuple[Values, Values]


def ranking_curves(scored: Scored) -> Iterator[Curve]:
    """Yield the curves of the positive class, or of each of several against the rest."""
    if scored.task == "regression" or len(scored.classes) > MOST_CLASSES:
        return
    shown = range(len(scored.classes)) if scored.task == "multiclass" else (1,)
    by_fold = len(scored.places) * len(shown) <= MOST_BY_CLASS
    for kind, points, at in (("roc", _roc, _line), ("pr", _precision_recall, _steps)):
        for code in shown:
            parts = _parts(scored, code, by_fold)
            yield from _curves(kind, scored.classes[code], points, at, parts)


def _parts(scored: Scored, code: int, by_fold: bool) -> list[Part]:
    """Return the folds that hold both a class and others; all rows at once where none does."""
    folds = ((f.repeat, f.fold, f.truth == code, f.scores[:, code]) for f in scored.folds())
    found: list[Part] = [part for part in folds if by_fold and 0 < part[2].sum() < len(part[2])]
    whole: Part = (None, None, np.asarray(scored.truth == code), scored.scores[:, code])
    return found or [part for part in [whole] if 0 < part[2].sum() < len(part[2])]


def _curves(
    kind: str,
    label: str,
    points: Callable[[NDArray[np.bool_], Values], Points],
    at: Callable[[Values, Values], Values],
    parts: list[Part],
) -> Iterator[Curve]:
    found = [points(truth, score) for _, _, truth, score in parts]
    for (repeat, fold, _, _), (x, y) in zip(parts, found, strict=True):
        yield Curve(kind, label, x, y, repeat=repeat, fold=fold)
    if parts and parts[0][1] is not None:
        mean, low, high = mean_with_band([at(x, y) for x, y in found])
        yield Curve(kind, label, GRID, mean, _rate(low), _rate(high))


def _rate(values: Values | None) -> Values | None:
    return None if values is None else np.clip(values, 0.0, 1.0)


def _roc(truth: NDArray[np.bool_], score: Values) -> Points:
    false, true = _counts(truth, score)
    turns = (np.diff(false, 2) != 0) | (np.diff(true, 2) != 0)
    kept = np.concatenate([[True], turns, [True]]) if len(true) > 2 else slice(None)
    return _from_zero(false[kept] / false[-1]), _from_zero(true[kept] / true[-1])


def _precision_recall(truth: NDArray[np.bool_], score: Values) -> Points:
    false, true = _counts(truth, score)
    rises = np.diff(true) != 0
    kept = (
        np.concatenate([[True], rises[:-1] | rises[1:], [True]]) if len(true) > 2 else slice(None)
    )
    recall, precision = true / true[-1], true / (true + false)
    return _from_zero(recall[kept]), np.concatenate([[1.0], precision[kept]])


def _counts(truth: NDArray[np.bool_], score: Values) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return false and true positives at each distinct score, the highest first."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(order) - 1)
    true = np.cumsum(truth[order])[last]
    return last + 1 - true, true


def _from_zero(values: Values) -> Values:
    return np.concatenate([[0.0], values])


def _line(x: Values, y: Values) -> Values:
    """Return a curve's values on the grid; where it rises upright, the foot at 0, else the top."""
    last = np.append(np.diff(x) > 0, True)
    values = np.interp(GRID, x[last], y[last])
    values[0] = 0.0
    return np.asarray(values)


def _steps(x: Values, y: Values) -> Values:
    return np.asarray(y[np.searchsorted(x, GRID, side="left").clip(max=len(x) - 1)])
