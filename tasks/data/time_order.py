"""Times of rows: anything that has an order becomes whole numbers, and rows are put in it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.inputs import map_inputs
from foldproof.tasks.data.sources.raw_table import RawData

UNITS = ("ns", "us")  # the first is the finer, the second reaches beyond the years 1677 to 2262
MONTHS = r"^\d{4}-\d{2}$"  # ISO 8601 without a day
ZONED = r"(Z|[+-]\d{2}:?\d{2})$"
MAX_SHOWN_CHARS = 40

Times = NDArray[np.int64]


def time_codes(values: NDArray[Any]) -> Times:
    """Number times by their order, from 0; equal ones have one number.

    Args:
        values: numbers, dates, timestamps, times of day, or text as in ISO 8601, (n,).

    Raises:
        InputError: some are missing, or they have no order.
    """
    comparable = _comparable(values)
    return np.unique(comparable, return_inverse=True)[1].astype(np.int64)


def in_time_order(raw: RawData, times: Times) -> tuple[RawData, Times]:
    """Put rows in the order of their times; rows of one time stay as they lie in the source.

    Args:
        raw: the samples.
        times: the number of each one's time, as from `time_codes`.
    """
    if np.all(times[1:] >= times[:-1]):
        return raw, times
    order = np.argsort(times, kind="stable")
    sides = ("target", "groups", "weights", "time", "id", "folds")
    found = {name: getattr(raw, name) for name in sides}
    moved = {name: array[order] for name, array in found.items() if array is not None}
    features = map_inputs(lambda each: _in_order(each, order), raw.in_memory().features)
    note = (
        f"the source is not in the order of data.time {raw.settings.time!r}: its rows were put in "
        "it, and row numbers count in it"
    )
    notices = (*raw.notices, note)
    return replace(raw, features=features, notices=notices, **moved), times[order]


def _in_order(features: Any, order: NDArray[np.int64]) -> Any:
    is_table = isinstance(features, pa.Table)
    return features.take(pa.array(order)) if is_table else features[order]


def _comparable(values: NDArray[Any]) -> NDArray[Any]:
    """Return times as integers or floats.

    Raises:
        InputError: some are missing, or they have no order.
    """
    kind = values.dtype.kind
    gaps = int(np.sum(np.isnat(values) if kind in "mM" else _is_missing(values)))
    if gaps:
        count = f"{gaps} of {len(values)} values are missing"
        raise InputError("data.time", f"{count}; give each row its time, or remove those rows")
    if kind in "mM":
        return values.astype(np.int64)
    if kind in "iuf":
        return values
    try:
        column = pa.array(values)
    except (pa.ArrowException, TypeError, ValueError):
        problem = "mixes kinds of values; make all dates, all numbers or all text"
        raise InputError("data.time", problem) from None
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return _of_text(column.cast(pa.string()))
    if pa.types.is_time(column.type):
        return np.asarray(column.cast(pa.time64("us")).cast(pa.int64()))
    if pa.types.is_date(column.type):
        return np.asarray(column.cast(pa.date32()).cast(pa.int32()))
    raise InputError("data.time", f"holds {column.type}; give dates, times or numbers")


def _is_missing(values: NDArray[Any]) -> Any:
    if values.dtype == object:
        return [value is None or value != value for value in values]
    return np.isnan(values) if values.dtype.kind == "f" else False


def _of_text(column: pa.Array) -> NDArray[np.int64]:
    """Return moments in ISO 8601 as integers: all with a time zone, or none.

    Raises:
        InputError: one is no such text.
    """
    if pc.all(pc.match_substring_regex(column, MONTHS)).as_py():
        column = pc.binary_join_element_wise(column, "01", "-")
    for zone in (None, "UTC"):
        for unit in UNITS:
            try:
                moments = column.cast(pa.timestamp(unit, tz=zone))
            except pa.ArrowException:
                continue
            return np.asarray(moments.cast(pa.int64()))
    raise InputError("data.time", _not_moments(column))


def _not_moments(column: pa.Array) -> str:
    """Say what is wrong with text that holds no moments."""
    zoned = pc.match_substring_regex(column, ZONED)
    if pc.any(zoned).as_py() and not pc.all(zoned).as_py():
        return "some values have a time zone, others have none; give it for all or for none"
    wrong = next((value for value in column if not _is_moment(value)), column[0])
    shown = str(wrong.as_py())[:MAX_SHOWN_CHARS]
    return f"{shown!r} is no date as in 2026-01-31 or 2026-01-31T09:30:00; write all so, or numbers"


def _is_moment(value: pa.Scalar) -> bool:
    for zone in (None, "UTC"):
        try:
            value.cast(pa.timestamp("us", tz=zone))
        except pa.ArrowException:
            continue
        return True
    return False
