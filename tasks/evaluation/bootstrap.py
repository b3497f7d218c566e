"""Metrics of drawn rows: each drawn with replacement, and counted as often as it was drawn.

Efron, Tibshirani (1993), An Introduction to the Bootstrap.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.evaluation.intervals.pooled_counts import COUNTED
from foldproof.tasks.evaluation.intervals.wald import LOSSES
from foldproof.tasks.evaluation.predictions import Predictions
from foldproof.tasks.evaluation.weighted_auc import ratio, weighted_auc
from foldproof.tasks.folds.seeds import Role, fold_seed

DRAWS = 2000
AT_ONCE = 50  # draws, which bounds the memory
MAX_ROWS = 100_000  # above, draws would take longer than the folds
Values = NDArray[np.float64]  # one a draw, NaN where the metric is undefined
Weights = NDArray[np.float64]  # how often each row was drawn, (draws, n)
OfDraws = Callable[[Weights], Values]


def drawn_values(metric: str, of: Predictions, seed: int) -> Values | None:
    """Return a metric of 2,000 draws of rows; None where it has no weighted form, or of many rows.

    Models that predicted the same rows in the same order have the same draws for a seed.

    Args:
        metric: its name.
        of: the predictions of one model, out of fold, n rows.
        seed: of the run.
    """
    compute = _of_draws(metric, of)
    if compute is None or len(of.truth) > MAX_ROWS:
        return None
    return np.concatenate([compute(weights) for weights in _draws(len(of.truth), seed)])


def _draws(n: int, seed: int) -> Iterator[Weights]:
    generator = np.random.Generator(np.random.PCG64(fold_seed(seed, 0, 0, Role.BOOTSTRAP)))
    for _ in range(DRAWS // AT_ONCE):
        rows = generator.integers(0, n, (AT_ONCE, n)) + n * np.arange(AT_ONCE)[:, None]
        counts = np.bincount(rows.ravel(), minlength=n * AT_ONCE)
        yield counts.reshape(AT_ONCE, n).astype(np.float64)


def _of_draws(metric: str, of: Predictions) -> OfDraws | None:
    """Return what computes a metric for weighted rows."""
    right = of.truth == of.predicted
    if metric in COUNTED and of.classes and (of.classes == 2 or metric == "accuracy"):
        return _share(right, COUNTED[metric](of))
    if metric == "balanced_accuracy" and of.classes:
        recalls = [_share(right, of.truth == code) for code in range(of.classes)]
        return lambda weights: np.mean([recall(weights) for recall in recalls], axis=0)
    if metric == "roc_auc" and of.classes == 2:
        return lambda weights: weighted_auc(of.truth == 1, of.scores[:, 0], weights)
    if metric == "roc_auc_ovr" and of.classes > 2:
        classes = range(of.classes)
        return lambda weights: np.mean(
            [weighted_auc(of.truth == code, of.scores[:, code], weights) for code in classes],
            axis=0,
        )
    if metric in LOSSES and metric.endswith("error") == (of.classes == 0):
        losses, is_root = LOSSES[metric](of), metric.startswith("neg_root")
        return lambda weights: -(_mean(losses, weights) ** (0.5 if is_root else 1))
    return _r2(of) if metric == "r2" and not of.classes else None


def _share(hits: NDArray[np.bool_], rows: NDArray[np.bool_]) -> OfDraws:
    return lambda weights: ratio(weights @ (hits & rows), weights @ rows)


def _mean(values: Values, weights: Weights) -> Values:
    return np.asarray(weights @ values / weights.sum(axis=1))


def _r2(of: Predictions) -> OfDraws:
    errors = (of.truth - of.predicted) ** 2
    centred = of.truth - of.truth.mean()

    def compute(weights: Weights) -> Values:
        spread = _mean(centred**2, weights) - _mean(centred, weights) ** 2
        return np.asarray(1 - ratio(_mean(errors, weights), spread))

    return compute
