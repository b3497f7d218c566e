"""Holm's adjustment of p-values for many tests.

Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal
of Statistics 6.
"""

from collections.abc import Sequence

import numpy as np


def adjust(p_values: Sequence[float]) -> list[float]:
    """Return adjusted p-values in the order given: the maximum over j <= i of (m - j + 1) p_(j).

    None is above 1.

    Args:
        p_values: of all tests of the family.
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    steps = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(steps, 1.0)
    return [float(value) for value in adjusted]
