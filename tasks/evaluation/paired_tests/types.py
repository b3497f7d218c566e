"""What the paired tests take and give."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROUNDING = 8 * np.finfo(float).eps  # of a value, what its last bits may be off

SAME = "the models have the same values, so there is no spread to make an interval of"
CONSTANT = "none: all differences are the same, so their variance says nothing"


@dataclass(frozen=True)
class PairedTest:
    """A paired test of two models on one metric.

    Attributes:
        method: the method's name; empty where none may be used.
        difference: first minus second.
        low, high: the interval of the difference, or None.
        statistic: what the method computes, or None.
        p: two-sided, or None.
        note: why something is missing, or what a reader must know.
    """

    method: str
    difference: float | None
    low: float | None = None
    high: float | None = None
    statistic: float | None = None
    p: float | None = None
    note: str = ""


def differences(first: Sequence[float], second: Sequence[float]) -> NDArray[np.float64]:
    """Return first minus second, float64 (J,); what is equal but for rounding is made equal.

    Without that, ten differences of 0.1 would have a variance of 1e-34 and any p-value.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    found = a - b
    limit = ROUNDING * float(np.max(np.abs([a, b])))
    found[np.abs(found) <= limit] = 0.0
    return np.full_like(found, found[0]) if np.ptp(found) <= 2 * limit else found


def without_spread(method: str, found: NDArray[np.float64]) -> PairedTest:
    """Return what can be said of differences that are all the same.

    Two models that agree in every fold give no evidence against their equality: p is 1. A
    constant other than zero would make any statistic infinite and p zero, from a variance
    that is only unknown; so there is no test.
    """
    difference = float(found.flat[0])
    if difference == 0:
        return PairedTest(method, difference, p=1.0, note=SAME)
    return PairedTest(method, difference, note=CONSTANT)
