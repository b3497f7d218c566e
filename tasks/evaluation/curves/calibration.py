"""Calibration of a binary task's scores: shares observed against scores, and their numbers.

Slope and intercept are those of a logistic regression of the truth on the logit of the score
(Cox 1958), with scores clipped at 1e-6; the Brier score is the mean squared error.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from foldproof.tasks.evaluation.curves.curve import Curve, Values
from foldproof.tasks.evaluation.curves.scored import Scored
from foldproof.tasks.evaluation.intervals.wilson import bounds

BINS = 10  # of equal width, as in scikit-learn's calibration_curve
CLIP = 1e-6
LEVEL = 0.95  # of the intervals of shares
MOST_STEPS, TOLERANCE, LARGEST = 100, 1e-10, 1e3


@dataclass(frozen=True)
class Calibration:
    """Numbers on calibration, over all test rows.

    Attributes:
        slope, intercept: of the logistic recalibration; None where it does not exist, such as
            where the scores separate the classes.
        brier: the mean squared difference of score and truth.
        mean_score, share: what was predicted and what was observed, on average.
    """

    slope: float | None
    intercept: float | None
    brier: float
    mean_score: float
    share: float


def calibration(scored: Scored) -> Calibration:
    """Return the numbers on the calibration of a binary task's scores."""
    truth, score = scored.positive.astype(float), scored.scores[:, 1]
    slope, intercept = _recalibrate(truth, score) or (None, None)
    brier = float(np.mean((score - truth) ** 2))
    return Calibration(slope, intercept, brier, float(score.mean()), float(truth.mean()))


def calibration_curves(scored: Scored) -> Iterator[Curve]:
    """Yield a point for each tenth of the scores that has rows, over all test rows.

    The interval of the share is Wilson's; rows that were tested several times have none.
    """
    if scored.task != "binary":
        return
    truth, score = scored.positive.astype(float), scored.scores[:, 1]
    bins = np.searchsorted(np.linspace(0.0, 1.0, BINS + 1)[1:-1], score)
    count = np.bincount(bins, minlength=BINS).astype(float)
    used = count > 0
    total = np.bincount(bins, weights=score, minlength=BINS)[used]
    count = count[used]
    share = np.bincount(bins, weights=truth, minlength=BINS)[used] / count
    low, high = _wilson(share, count) if scored.repeats == 1 else (None, None)
    yield Curve("calibration", scored.classes[1], total / count, share, low, high)


def _wilson(share: Values, count: Values) -> tuple[Values, Values]:
    pairs = zip((share * count).round().tolist(), count.tolist(), strict=True)
    ends = np.array([bounds(right, rows, LEVEL) for right, rows in pairs])
    return ends[:, 0], ends[:, 1]


def _recalibrate(truth: Values, score: Values) -> tuple[float, float] | None:
    """Return slope and intercept, by Newton's method; None where it does not end."""
    clipped = np.clip(score, CLIP, 1 - CLIP)
    logit = np.log(clipped / (1 - clipped))
    design = np.column_stack([logit, np.ones_like(logit)])
    found = np.zeros(2)
    for _ in range(MOST_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -500, 500)))
        weighted = design * (chance * (1 - chance))[:, None]
        try:
            step = np.linalg.solve(design.T @ weighted, design.T @ (truth - chance))
        except np.linalg.LinAlgError:
            return None
        found = found + step
        if not np.isfinite(found).all() or np.abs(found).max() > LARGEST:
            return None
        if np.abs(step).max() < TOLERANCE:
            return float(found[0]), float(found[1])
    return None
