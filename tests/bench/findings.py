"""What the benchmarks found, and the one table it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

HEADER = ("work", "ours", "best peer", "ratio", "goal", "ok?")


@dataclass(frozen=True)
class Row:
    """One line of the table; `met` is None where there is no goal."""

    work: str
    ours: str
    peer: str
    ratio: str
    goal: str
    met: bool | None

    def cells(self) -> tuple[str, ...]:
        """Return the line's texts."""
        verdict = {True: "yes", False: "NO", None: "-"}[self.met]
        return self.work, self.ours, self.peer, self.ratio, self.goal, verdict


@dataclass(frozen=True)
class Agreement:
    """Results that must be equal, and whether they are."""

    what: str
    ok: bool
    detail: str

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{'agree' if self.ok else 'DISAGREE'}: {self.what} ({self.detail})"


@dataclass
class Findings:
    """Everything that was found so far; `notes` are lines below the table."""

    rows: list[Row] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def agree(self) -> bool:
        """Whether all that must be equal is."""
        return all(agreement.ok for agreement in self.agreements)


def faster(work: str, ours: float, peer: float, name: str, goal: float, share: str = "") -> Row:
    """Return the row of a goal of the form 'so many times faster'; seconds on both sides."""
    ratio = peer / ours
    text = share or f"at least {goal:g} x faster"
    return Row(work, seconds(ours), f"{seconds(peer)} ({name})", f"{ratio:.2f} x", text,
               ratio >= goal)  # fmt: skip


def seconds(value: float) -> str:
    """Write seconds with as many digits as mean something."""
    return f"{value:.3f} s" if value < 1 else f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def table(rows: Sequence[Row]) -> str:
    """Return the table as Markdown, aligned for a terminal as well."""
    lines = [HEADER, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    padded = [
        "| " + " | ".join(t.ljust(w) for t, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([padded[0], rule, *padded[1:]])
