"""Rows that stand on both sides of a fold: what a model has seen is no test of it."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from foldproof.tasks.evaluation.findings.types import Check, Evidence, Finding, Severity
from foldproof.tasks.folds.split.plan import FoldPlan

MAX_VALUES = 1 << 24  # of the features that are looked at, several times as float64: half a GB
NEAR = 1e-3  # of a standard deviation, in every column
MIN_COLUMNS = 3  # of numbers that are near each other by more than chance
SHARE_OF_WARNINGS = 0.01  # of all rows
MORE_THAN_CHANCE = 10.0
Codes = NDArray[np.signedinteger[Any]]  # a number for each value of a column, (n, p)


def duplicates(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on test rows with a twin, or nearly one, among the training rows."""
    numbers, frame = evidence.numbers, evidence.frame
    size = 0 if numbers is None else numbers.size
    values = size if frame is None else frame.num_rows * frame.num_columns
    if values > MAX_VALUES:
        yield Finding("FP100", "the data is too large to look for duplicate rows", severity="info")
        return
    codes = _of_frame(frame) if frame is not None else _exact(numbers)
    if codes is None:
        return
    twins = _twins(codes, evidence.plan)
    exact = int(twins.sum())
    if exact:
        message = f"{_rows(exact, len(codes))} have an equal row among the training rows"
        yield Finding("FP101", message, REMEDY, severity=_severity(exact, len(codes)))
    if numbers is not None and numbers.shape[1] >= MIN_COLUMNS:
        near = int((_near_twins(numbers, evidence.plan) & ~twins).sum())
        if near >= SHARE_OF_WARNINGS * len(codes):
            message = f"{_rows(near, len(codes))} are nearly equal to a training row"
            yield Finding("FP102", message, REMEDY)


REMEDY = "drop them, or name what they have in common in data.groups"


def _rows(some: int, n: int) -> str:
    return f"{some} of {n} rows" if some > 1 else f"1 of {n} rows, when it is tested,"


def _severity(some: int, n: int) -> Severity:
    return "warning" if some >= SHARE_OF_WARNINGS * n else "info"


def _exact(numbers: NDArray[np.float32] | None) -> Codes | None:
    if numbers is None:
        return None
    return np.ascontiguousarray(numbers).view(np.int32)


def _of_frame(frame: pa.Table) -> Codes:
    columns = (frame[name].combine_chunks() for name in frame.column_names)
    found = [pc.fill_null(column.dictionary_encode().indices, -1) for column in columns]
    return np.column_stack([codes.to_numpy(zero_copy_only=False) for codes in found])


def _near_twins(numbers: NDArray[np.float32], plan: FoldPlan) -> NDArray[np.bool_]:
    """Return which rows lie in one box of a grid with a training row; of two grids, one counts."""
    spread = numbers.std(axis=0, dtype=np.float64)
    scaled = (numbers - numbers.mean(axis=0, dtype=np.float64)) / np.where(spread > 0, spread, 1)
    if not np.isfinite(scaled).all():
        return np.zeros(len(numbers), dtype=bool)
    grids = (np.floor(scaled / NEAR + shift).astype(np.int64) for shift in (0.0, 0.5))
    found = [_twins(grid, plan) for grid in grids]
    return np.asarray(found[0] | found[1])


def _twins(codes: Codes, plan: FoldPlan) -> NDArray[np.bool_]:
    """Return which rows are, in some fold, test rows with an equal row among the training rows."""
    kinds = _kinds(codes)
    found = np.zeros(len(codes), dtype=bool)
    counts = np.bincount(kinds)
    if _pairs(counts) <= MORE_THAN_CHANCE * _pairs_by_chance(codes):
        return found
    several = counts[kinds] > 1
    for fold in plan.folds:
        test = np.load(fold.test_path)
        test = test[several[test]]
        seen = np.zeros(len(counts), dtype=bool)
        seen[kinds[np.load(fold.train_path)]] = True
        found[test[seen[kinds[test]]]] = True
    return found


def _kinds(codes: Codes) -> Codes:
    """Return a number for each row that equal rows share, (n,)."""
    whole = np.ascontiguousarray(codes).view([("", codes.dtype)] * codes.shape[1]).ravel()
    return np.unique(whole.view(f"V{whole.dtype.itemsize}"), return_inverse=True)[1]


def _pairs(counts: NDArray[np.int64]) -> float:
    return float((counts * (counts - 1.0) / 2).sum())


def _pairs_by_chance(codes: Codes) -> float:
    """Return how many pairs would be equal if the columns were independent of each other."""
    n = len(codes)
    shares = (np.unique(column, return_counts=True)[1] / n for column in codes.T)
    logs = [float(np.log((share**2).sum())) for share in shares]
    return n * (n - 1) / 2 * float(np.exp(np.sum(logs)))


CHECKS: tuple[Check, ...] = (duplicates,)
