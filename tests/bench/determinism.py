"""What it costs that bits come back: our engine's loop with and without it."""

from tests.bench.cases import CNN, MLP
from tests.bench.findings import Findings, Row, seconds
from tests.bench.processes import script

GOAL = 1.05
TRIES = 7  # in each process; the fastest counts


def measure(findings: Findings, rounds: int) -> None:
    """Run processes of both kinds in turn; the fastest try of each kind counts."""
    for case in (MLP, CNN):
        best = {"deterministic": float("inf"), "free": float("inf")}
        for _ in range(rounds):
            for care in best:
                found = script("graph_seconds", case, "ours", care, TRIES).found["seconds"]
                best[care] = min(best[care], found)
        ratio = best["deterministic"] / best["free"]
        findings.rows.append(
            Row(
                f"cost of determinism, {case.name}",
                seconds(best["deterministic"]),
                f"{seconds(best['free'])} (same engine without)",
                f"{ratio:.3f}",
                f"at most {GOAL:g}",
                ratio <= GOAL,
            )
        )
