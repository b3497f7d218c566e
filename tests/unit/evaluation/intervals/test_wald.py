"""The interval over pointwise losses: it is around the pooled metric, and in range."""

import math

import numpy as np
import pytest
from scipy import stats

from foldproof.tasks.evaluation.intervals import wald
from foldproof.tasks.evaluation.measure import compute_metric
from foldproof.tasks.evaluation.predictions import Predictions

RANDOM = np.random.default_rng(3)
TWO = RANDOM.random((50, 1))
THREE = RANDOM.dirichlet([1, 1, 1], 50)
VALUES = RANDOM.normal(size=50)
GUESSES = VALUES + RANDOM.normal(size=50)
PREDICTIONS = {
    2: Predictions(RANDOM.integers(0, 2, 50), (TWO[:, 0] >= 0.5).astype(int), TWO, 2),
    3: Predictions(RANDOM.integers(0, 3, 50), THREE.argmax(axis=1), THREE, 3),
    0: Predictions(VALUES, GUESSES, GUESSES.reshape(-1, 1), 0),
}


CASES = [
    (metric, classes)
    for metric in wald.LOSSES
    for classes in ([0] if metric.endswith("error") else [2, 3])
]


@pytest.mark.parametrize(("metric", "classes"), CASES)
def test_the_mean_loss_is_the_metric(metric, classes):
    of = PREDICTIONS[classes]
    losses = wald.LOSSES[metric](of)
    mean = float(losses.mean())
    value = -math.sqrt(mean) if "root" in metric else -mean
    assert compute_metric(metric, of).value == pytest.approx(value, rel=1e-12)


def test_the_bounds_are_those_of_the_delta_method():
    losses = wald.squared(PREDICTIONS[0])
    mean, error = losses.mean(), losses.std(ddof=0) / math.sqrt(50)
    z = stats.norm.ppf(0.975)
    low, high = wald.bounds(losses, 0.95)
    assert math.log(high / mean) == pytest.approx(z * error / mean)
    assert low * high == pytest.approx(mean**2)
    root_low, root_high = wald.bounds(losses, 0.95, is_root=True)
    assert math.log(root_high / math.sqrt(mean)) == pytest.approx(z * error / mean / 2)
    assert (root_low**2, root_high**2) == pytest.approx((low, high))
