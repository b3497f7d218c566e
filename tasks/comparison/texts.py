"""Format the values of a comparison for the page and the terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

MIN_SHOWN_P = 0.0001  # p-values below are shown as smaller than this


def p_text(p: float | None, none: str) -> str:
    """Write a p-value, or what stands for none."""
    return none if p is None else f"<{MIN_SHOWN_P}" if p < MIN_SHOWN_P else f"{p:.4f}"


def method_with_sizes(row: dict[str, Any]) -> str:
    """Return a test's method with the numbers that it used."""
    return f"{row['method']}, J={row['j']}, n_train={row['n_train']:g}, n_test={row['n_test']:g}"


def better(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return which values are the better ones, of the metrics in models.parquet."""
    less = dict.fromkeys(row["metric"] for row in rows if not row["greater_is_better"])
    return "greater is better" + (f", but less for {', '.join(less)}" if less else "")


def by_rank(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return models from the best to the worst; those that are not ranked come last."""
    return sorted(rows, key=lambda row: (row["rank"] or len(rows) + 1, row["number"]))
