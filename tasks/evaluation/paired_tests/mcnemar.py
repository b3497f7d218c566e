"""McNemar's test of two models' right and wrong predictions of the same rows.

Of the rows that one model has right and the other wrong, half should go each way. It compares the
fitted models at hand, not the algorithms: how much training rows matter is not in it.

McNemar (1947), Psychometrika 12; exact and mid-p: Fagerland, Lydersen, Laake (2013), The McNemar
test for binary matched-pairs data, BMC Medical Research Methodology 13:91.
"""

from foldproof.tasks.evaluation.intervals.pooled_counts import COUNTED
from foldproof.tasks.evaluation.paired_tests.types import Pair, PairedMethod, PairedTest

EXACT, MID_P = "McNemar exact", "McNemar mid-p"
METRICS = ("accuracy", "sensitivity", "recall", "specificity")  # of rows that no model chooses
CAVEAT = "it compares these fitted models, not the algorithms"


def p_values(only_first: int, only_second: int) -> tuple[float, float]:
    """Return the two-sided exact and mid-p values.

    Args:
        only_first: rows that only the first model has right.
        only_second: rows that only the second one has.
    """
    from scipy import stats

    n, fewer = only_first + only_second, min(only_first, only_second)
    if n == 0:
        return 1.0, 1.0
    tail, point = float(stats.binom.cdf(fewer, n, 0.5)), float(stats.binom.pmf(fewer, n, 0.5))
    exact = min(1.0, 2 * tail)
    return exact, 1 - point if only_first == only_second else 2 * tail - point


def _tests(pair: Pair, level: float) -> list[PairedTest]:
    pooled = pair.pooled
    if pooled is None or not pair.division.tests_each_row_once or pair.metric not in METRICS:
        return []
    if not pooled.first.classes or (pair.metric != "accuracy" and not pooled.is_binary):
        return []
    if pair.division.grouped:
        return [PairedTest("", None, note="none by McNemar: rows of one group are not independent")]
    counted = COUNTED[pair.metric](pooled.first)
    if not counted.any():
        return []
    first, second = ((of.truth == of.predicted)[counted] for of in (pooled.first, pooled.second))
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    difference = (only_first - only_second) / len(first)
    sizes = f"only the first is right in {only_first} rows, only the second in {only_second}"
    note = f"{sizes}; {CAVEAT}"
    values = zip((EXACT, MID_P), p_values(only_first, only_second), strict=True)
    return [PairedTest(name, difference, p=p, note=note) for name, p in values]


METHOD = PairedMethod(_tests, order=6)
