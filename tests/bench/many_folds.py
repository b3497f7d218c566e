"""A thousand folds: the last ones cost what the first ones did, and memory stays."""

from statistics import median
from typing import Any

from tests.bench.cases import MLP
from tests.bench.findings import Findings, Row, seconds
from tests.bench.processes import script

REPEATS, EDGE = 100, 50
SAME, FLAT = 1.1, 50.0  # ratio of medians; MiB


def measure(findings: Findings, server: dict[str, str]) -> None:
    """Run the flow once and read its execution table."""
    found = script("our_execution", MLP, REPEATS, **server)
    folds = found.found["folds"]
    first, last = folds[:EDGE], folds[-EDGE:]
    times = [median(fold["seconds"] for fold in part) for part in (first, last)]
    growth = max(_peak(last, slot) - _peak(first, slot) for slot in {f["device"] for f in first})
    count = len(folds)
    findings.rows += [
        Row(
            f"{count} folds, seconds a fold in a worker (median)",
            f"{seconds(times[1])} (last {EDGE})",
            f"{seconds(times[0])} (first {EDGE})",
            f"{times[1] / times[0]:.3f}",
            f"same (at most {SAME:g})",
            times[1] / times[0] <= SAME,
        ),
        Row(
            f"{count} folds, growth of a worker's memory",
            f"{_largest(last):.0f} MiB (last {EDGE})",
            f"{_largest(first):.0f} MiB (first {EDGE})",
            f"{growth:+.0f} MiB",
            f"within {FLAT:g} MiB",
            growth <= FLAT,
        ),
    ]
    text = f"{found.seconds:.1f} s whole process, {found.found['workers']} worker processes"
    findings.notes.append(f"{count} folds: {text}")


def _peak(folds: list[dict[str, Any]], slot: str) -> float:
    return max((fold["peak"] for fold in folds if fold["device"] == slot), default=0.0)


def _largest(folds: list[dict[str, Any]]) -> float:
    return max(float(fold["peak"]) for fold in folds)
