"""A watch on what climbs over a run: seconds and memory a fold, which should stay as they are."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.folds.job import FoldRecord

FEWEST = 8  # folds of a slot; fewer tell nothing
SLOWER = 1.5  # times as long at the end as at the beginning
RISING = 0.5  # Kendall's tau of a climb, between -1 and 1
LEAK = 16.0  # MiB a fold; Keras itself leaves 5 to 7


def climbing(records: Sequence[FoldRecord], rows: Mapping[str, int]) -> Iterator[str]:
    """Yield a warning for each slot whose folds got slower or whose memory grew.

    Args:
        records: of the folds, in the order in which they ended.
        rows: training rows by fold key, since larger folds may take longer.
    """
    trained = [record for record in records if record.seconds and not record.cached]
    for slot in sorted({record.slot for record in trained}):
        mine = [record for record in trained if record.slot == slot][1:]  # the first compiles
        if len(mine) >= FEWEST:
            yield from _slower(slot, np.array([r.seconds / rows[r.key] for r in mine]))
            yield from _larger(slot, np.array([record.memory for record in mine]))


def _slower(slot: str, seconds: NDArray[np.float64]) -> Iterator[str]:
    quarter = len(seconds) // 4
    ratio = float(np.median(seconds[-quarter:]) / np.median(seconds[:quarter]))
    if ratio >= SLOWER and _tau(seconds) >= RISING:
        yield (
            f"folds on {slot} took {ratio:.1f} times as long at the end of the run as at its "
            "beginning: something piles up in the worker, or the machine got busier"
        )


def _larger(slot: str, memory: NDArray[np.float64]) -> Iterator[str]:
    """Look at the steps between folds: a worker that is replaced starts low again."""
    step = float(np.median(np.diff(memory)))
    if step >= LEAK:
        yield (
            f"the memory of the worker on {slot} climbs by {step:.0f} MiB a fold (Keras itself "
            "leaves 5 to 7): the model's code holds on to something"
        )


def _tau(values: NDArray[np.float64]) -> float:
    """Return Kendall's tau between values and their order; NaN where all are the same."""
    # Imported here: it takes long, and only slower runs need it.
    from scipy.stats import kendalltau

    return float(kendalltau(np.arange(len(values)), values).statistic)
