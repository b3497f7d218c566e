"""The paired bootstrap: rows are drawn anew, the same ones for both models.

It says how much the difference of the fitted models depends on which rows were tested; what other
training rows would have changed is not in it.

Efron, Tibshirani (1993), An Introduction to the Bootstrap, 13.
"""

import numpy as np

from foldproof.tasks.evaluation.bootstrap import DRAWS
from foldproof.tasks.evaluation.paired_tests.types import Pair, PairedMethod, PairedTest

NAME = "paired bootstrap of rows"
CAVEAT = f"{DRAWS} draws of the pooled test rows; it is about these fitted models"


def _tests(pair: Pair, level: float) -> list[PairedTest]:
    if pair.draws is None or pair.pooled_values is None:
        return []
    if pair.division.grouped:
        reason = "rows of one group are not independent, and a report does not hold groups"
        return [PairedTest("", None, note=f"none by bootstrap: {reason}")]
    found = pair.draws[0] - pair.draws[1]
    found = found[np.isfinite(found)]
    difference = pair.pooled_values[0] - pair.pooled_values[1]
    if not len(found) or np.ptp(found) == 0:
        return [PairedTest(NAME, difference, note="none: all draws have the same difference")]
    tail = (1 - level) / 2
    low, high = map(float, np.quantile(found, [tail, 1 - tail]))
    return [PairedTest(NAME, difference, low, high, note=CAVEAT)]


METHOD = PairedMethod(_tests, order=7)
