"""What a fold of a table with gaps and two categories costs beside the same data as numbers."""

from tests.bench.cases import MLP
from tests.bench.findings import Findings, Row, seconds
from tests.bench.processes import script

SHORT, LONG = (600, 20), (6000, 60)  # rows and epochs: a fold of tenths of a second, and of more
TRIES = 3
MORE_S, MORE_SHARE = 0.030, 1.2  # allowed: seconds, and times of what takes over a second


def measure(findings: Findings, full: bool) -> None:
    """Measure both sizes in processes of their own."""
    for rows, epochs in (SHORT, LONG) if full else (SHORT,):
        found = script("our_tables", MLP, rows, epochs, TRIES).found
        more = found["table"] - found["numbers"]
        is_long = found["numbers"] > 1
        ratio = found["table"] / found["numbers"]
        findings.rows.append(
            Row(
                f"one more fold of a table, {rows} rows, {epochs} epochs",
                seconds(found["table"]),
                f"{seconds(found['numbers'])} (ours, as numbers)",
                f"{1000 * more:.0f} ms more, {ratio:.2f} times",
                f"at most {MORE_SHARE:g} times"
                if is_long
                else f"at most {1000 * MORE_S:.0f} ms more",
                ratio <= MORE_SHARE if is_long else more <= MORE_S,
            )
        )
