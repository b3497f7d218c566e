"""A curve's points, and the table of all curves: curves.parquet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foldproof.tasks.evaluation.columns import Columns
from foldproof.tasks.evaluation.schemas import curves_schema

Values = NDArray[np.float64]
KINDS = ("roc", "pr", "calibration", "threshold", "learning")
LAST = 1 << 15  # behind all repeats and folds: what belongs to none of them


@dataclass(frozen=True)
class Curve:
    """The points of a curve.

    Attributes:
        kind: one of KINDS.
        label: the class that it is about, or what y is.
        x, y: the points, in the order in which they are joined.
        low, high: the band around y, if there is one.
        repeat, fold: whose it is; None for a mean over folds, or for all rows at once.
    """

    kind: str
    label: str
    x: Values
    y: Values
    low: Values | None = None
    high: Values | None = None
    repeat: int | None = None
    fold: int | None = None


def curves_table(model: str, curves: Sequence[Curve]) -> pa.Table:
    """Return the table of all curves: folds in their order, then what is of no single fold."""
    columns = Columns(curves_schema())
    for curve in sorted(curves, key=_place):
        columns.add(
            len(curve.x),
            model=model,
            repeat=curve.repeat,
            fold=curve.fold,
            curve=curve.kind,
            x=curve.x,
            y=curve.y,
            low=curve.low,
            high=curve.high,
            label=curve.label,
        )
    return columns.table()


def curves_of(table: pa.Table) -> Iterator[Curve]:
    """Yield the curves of a table, in its order."""
    places = [table[name].to_pylist() for name in ("curve", "label", "repeat", "fold")]
    rows = list(zip(*places, strict=True))
    starts = [i for i, row in enumerate(rows) if i == 0 or row != rows[i - 1]]
    values = {name: table[name].to_numpy() for name in ("x", "y", "low", "high")}
    for start, end in pairwise([*starts, len(rows)]):
        kind, label, repeat, fold = rows[start]
        x, y, low, high = (values[name][start:end] for name in values)
        yield Curve(kind, label, x, y, _known(low), _known(high), repeat, fold)


def mean_with_band(rows: Sequence[Values]) -> tuple[Values, Values | None, Values | None]:
    """Return the mean of values on one grid, and the mean minus and plus a standard deviation.

    Args:
        rows: an array a fold; NaN where it has no value.
    """
    stacked = np.vstack(rows)
    count = np.sum(~np.isnan(stacked), axis=0)
    mean = np.nansum(stacked, axis=0) / np.maximum(count, 1)
    if len(rows) < 2:
        return mean, None, None
    squares = np.nansum((stacked - mean) ** 2, axis=0)
    std = np.sqrt(squares / np.maximum(count - 1, 1))
    std[count < 2] = np.nan
    return mean, mean - std, mean + std


def _place(curve: Curve) -> tuple[Any, ...]:
    repeat = LAST if curve.repeat is None else curve.repeat
    return repeat, LAST if curve.fold is None else curve.fold, KINDS.index(curve.kind)


def _known(values: Values) -> Values | None:
    return None if np.isnan(np.asarray(values, float)).all() else np.asarray(values, float)
