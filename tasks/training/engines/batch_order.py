"""The seeded order of rows and batches, drawn anew for every epoch.

Keras's own shuffling repeats one permutation in every epoch once the global seed is set
(https://github.com/tensorflow/tensorflow/issues/35682), so the order comes from here.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Order = NDArray[np.int64]


def epoch_orders(rows: int, seed: int, shuffle: bool) -> Iterator[Order]:
    """Yield an order of the rows for each epoch, endlessly.

    Args:
        rows: n, the training rows.
        seed: the fold's seed for the batch order.
        shuffle: without it every epoch goes through the rows as they stand.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    while True:
        yield generator.permutation(rows) if shuffle else np.arange(rows)


def batch_slices(rows: int, batch_size: int) -> list[slice]:
    """Return consecutive slices of an order; the last one may be short."""
    return [slice(start, start + batch_size) for start in range(0, rows, batch_size)]
