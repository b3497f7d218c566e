"""Format the values of a comparison for the page and the terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

DECIDING = "Nadeau-Bengio corrected t"  # the test that the sentence is about
SIGNIFICANT = 0.05
MIN_SHOWN_P = 0.0001  # p-values below are shown as smaller than this


def p_text(p: float | None, none: str) -> str:
    """Write a p-value, or what stands for none."""
    return none if p is None else f"<{MIN_SHOWN_P}" if p < MIN_SHOWN_P else f"{p:.4f}"


def method_with_sizes(row: dict[str, Any]) -> str:
    """Return a test's method with the numbers that it used."""
    sizes = f"{row['method']}, J={row['j']}, n_train={row['n_train']:g}, n_test={row['n_test']:g}"
    if row["probability_first"] is None:
        return sizes
    shares = (row[f"probability_{which}"] for which in ("first", "equal", "second"))
    first, equal, second = (f"{share:.3f}" for share in shares)
    return f"{sizes}; first better {first}, equal {equal}, second better {second}"


def conclusion(models: list[dict[str, Any]], pairs: Iterable[Mapping[str, Any]]) -> str:
    """Say in a sentence what the corrected t has shown of a metric's best model, and what not.

    Args:
        models: the metric's rows in models.parquet.
        pairs: its rows in comparison.parquet.
    """
    ranked = [row for row in by_rank(models) if row["rank"]]
    tests = {
        frozenset((row["first_number"], row["second_number"])): row["p_adjusted"]
        for row in pairs
        if row["method"] == DECIDING and row["p_adjusted"] is not None
    }
    if len(ranked) < 2 or not tests:
        return f"{models[0]['metric']}: nothing was shown, for want of a test"
    best, *others = ranked
    p = {row["number"]: tests.get(frozenset((best["number"], row["number"]))) for row in others}
    beaten = [n for n, value in p.items() if value is not None and value < SIGNIFICANT]
    open_ = [n for n in p if n not in beaten]
    parts = []
    if beaten:
        parts.append(f"model {best['number']} was better than {_listed(beaten)}")
    if open_:
        parts.append(
            f"no difference was shown between model {best['number']} and {_listed(open_)}, "
            "which does not show that they are equal"
        )
    level = f"adjusted p of the corrected t, {SIGNIFICANT:g}"
    return f"{best['metric']}: {'; '.join(parts)} ({level})"


def _listed(numbers: list[int]) -> str:
    return " and ".join(map(str, numbers))


def better(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return which values are the better ones, of the metrics in models.parquet."""
    less = dict.fromkeys(row["metric"] for row in rows if not row["greater_is_better"])
    return "greater is better" + (f", but less for {', '.join(less)}" if less else "")


def by_rank(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return models from the best to the worst; those that are not ranked come last."""
    return sorted(rows, key=lambda row: (row["rank"] or len(rows) + 1, row["number"]))
