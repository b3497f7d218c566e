"""What another threshold would give: metrics and net benefit of a binary task's scores.

All test rows are taken together. Net benefit is that of Vickers and Elkin (2006, Medical Decision
Making 26, 565): true positives minus false positives weighted by the odds of the threshold.
"""

from collections.abc import Iterator

import numpy as np

from foldproof.tasks.evaluation.curves.curve import Curve, Values
from foldproof.tasks.evaluation.curves.scored import Scored

GRID = np.arange(101) / 100
NET_BENEFIT, TREAT_ALL = "net_benefit", "net_benefit_all"
METRICS = ("sensitivity", "specificity", "precision")


def threshold_curves(scored: Scored) -> Iterator[Curve]:
    """Yield sensitivity, specificity, precision and net benefit at thresholds from 0 to 1."""
    if scored.task != "binary":
        return
    positives, negatives = (
        np.sort(scored.scores[scored.positive == kind, 1]) for kind in (True, False)
    )
    hits, alarms = _reaching(positives), _reaching(negatives)
    rows = len(scored.truth)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = (hits / len(positives), 1 - alarms / len(negatives), hits / (hits + alarms))
    for name, y in zip(METRICS, values, strict=True):
        if not np.isnan(y).all():
            yield _curve(name, GRID[~np.isnan(y)], y[~np.isnan(y)])
    odds = GRID[:-1] / (1 - GRID[:-1])
    yield _curve(NET_BENEFIT, GRID[:-1], (hits - alarms * np.append(odds, 0))[:-1] / rows)
    yield _curve(TREAT_ALL, GRID[:-1], (len(positives) - len(negatives) * odds) / rows)


def _reaching(scores: Values) -> Values:
    """Return how many of some sorted scores reach each threshold."""
    return np.asarray(len(scores) - np.searchsorted(scores, GRID, side="left"), dtype=float)


def _curve(label: str, x: Values, y: Values) -> Curve:
    return Curve("threshold", label, x, y)
