"""What a row of the summary has its interval around: the folds' mean, or the pooled value."""

from collections.abc import Mapping
from typing import Any

from foldproof.tasks.evaluation.intervals.choose import LEVEL


def estimate_of(row: Mapping[str, Any]) -> tuple[float | None, bool]:
    """Return what a row's interval is around, and whether that is the pooled value.

    The mean stands for a row without an interval, and in reports of earlier versions.
    """
    is_pooled = row.get("estimate") == "pooled" and row["ci_low"] is not None
    value: float | None = row["pooled"] if is_pooled else row.get("mean")
    return value, is_pooled


def interval_head(key: Mapping[str, Any]) -> str:
    """Return the head of a column of intervals, such as `95 % interval`.

    Args:
        key: all that the run follows from.
    """
    level = key.get("report", {}).get("settings", {}).get("level", LEVEL)
    return f"{100 * level:g} % interval"
