"""Detect drift over a run: folds that get slower, workers whose memory keeps growing."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.folds.job import FoldRecord

MIN_FOLDS = 8  # of a slot, to judge a trend by
SLOWDOWN_RATIO = 1.5  # duration of the last quarter of folds, relative to the first
MIN_TAU = 0.5  # Kendall's tau (-1 to 1) from which durations count as rising
LEAK_MIB_PER_FOLD = 16.0  # Keras itself leaks 5 to 7


def drift_warnings(records: Sequence[FoldRecord], rows: Mapping[str, int]) -> Iterator[str]:
    """Yield a warning for each slot whose folds became slower or whose memory grew.

    Args:
        records: of the folds, in the order in which they ended.
        rows: training rows by fold key, since larger folds may take longer.
    """
    trained = [record for record in records if record.seconds and not record.cached]
    for slot in sorted({record.slot for record in trained}):
        mine = [record for record in trained if record.slot == slot][1:]  # the first compiles
        if len(mine) >= MIN_FOLDS:
            yield from _slowdown_warning(slot, np.array([r.seconds / rows[r.key] for r in mine]))
            yield from _memory_warning(slot, np.array([record.memory for record in mine]))


def _slowdown_warning(slot: str, seconds: NDArray[np.float64]) -> Iterator[str]:
    quarter = len(seconds) // 4
    ratio = float(np.median(seconds[-quarter:]) / np.median(seconds[:quarter]))
    if ratio >= SLOWDOWN_RATIO and _kendall_tau(seconds) >= MIN_TAU:
        yield (
            f"folds on {slot} took {ratio:.1f} times as long at the end of the run as at its "
            "beginning: something piles up in the worker, or the machine got busier"
        )


def _memory_warning(slot: str, memory: NDArray[np.float64]) -> Iterator[str]:
    """Judge the differences between folds: a replaced worker starts with little memory again."""
    step = float(np.median(np.diff(memory)))
    if step >= LEAK_MIB_PER_FOLD:
        yield (
            f"the memory of the worker on {slot} climbs by {step:.0f} MiB a fold (Keras itself "
            "leaves 5 to 7): the model's code holds on to something"
        )


def _kendall_tau(values: NDArray[np.float64]) -> float:
    """Return Kendall's tau between values and their order; NaN where all are the same."""
    # Imported here: it takes long, and only slower runs need it.
    from scipy.stats import kendalltau

    return float(kendalltau(np.arange(len(values)), values).statistic)
