"""Learning curves: each value that Keras reported, by epoch and fold, and the mean over folds."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foldproof.tasks.evaluation.curves.curve import Curve, mean_with_band


def learning_curves(history: pa.Table) -> Iterator[Curve]:
    """Yield a curve a fold and name, then a mean a name, over the folds that got so far."""
    for name in dict.fromkeys(history["metric"].to_pylist()):
        rows = history.filter(pc.equal(history["metric"], name))
        repeats, folds, epochs, values = (
            rows[column].to_numpy() for column in ("repeat", "fold", "epoch", "value")
        )
        changes = np.flatnonzero((np.diff(repeats) != 0) | (np.diff(folds) != 0)) + 1
        grid = np.arange(1, epochs.max() + 1)
        found = []
        for part in np.split(np.arange(len(epochs)), changes):
            repeat, fold = int(repeats[part[0]]), int(folds[part[0]])
            x, y = epochs[part].astype(float), values[part]
            yield Curve("learning", name, x, y, repeat=repeat, fold=fold)
            on_grid = np.full(len(grid), np.nan)
            on_grid[epochs[part] - 1] = values[part]
            found.append(on_grid)
        if len(found) > 1:
            mean, low, high = mean_with_band(found)
            yield Curve("learning", name, grid.astype(float), mean, low, high)
