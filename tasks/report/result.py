"""What a finished cross-validation gives back, and how it is shown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet

from foldproof.tasks.data.target import Label
from foldproof.tasks.data.target_facts import TargetFacts, named_positive, positive_line
from foldproof.tasks.evaluation.worst_case import classes_of, worst_case_mean

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Result:
    """A finished cross-validation.

    Attributes:
        path: the report's folder; of a report in object storage, a copy that ends with the run.
        address: where the report is in object storage; else empty.
        run_id: its name.
        n_folds: folds that were planned.
        n_failed: folds that failed.
        notices: what the user should be told.
        tracebacks: of the user's own code, by (repeat, fold).
        chosen: the positive label was set, not taken as the larger one.
        has_earlier: folds failed, and the report is the complete one of an earlier run.
    """

    path: Path
    run_id: str
    n_folds: int
    n_failed: int
    notices: tuple[str, ...] = ()
    tracebacks: tuple[tuple[int, int, str, str], ...] = ()
    address: str = ""
    chosen: bool = False
    has_earlier: bool = False

    def __post_init__(self) -> None:
        """Read everything while a copy of a report in object storage is there."""
        if self.address:
            _ = self.folds, self.summary, self.predictions, self.history
            _ = self._text, self._facts, self.headline

    @property
    def where(self) -> str:
        """Where the report is, for people and programs."""
        return self.address or str(self.path)

    @property
    def positive(self) -> Label | None:
        """The positive label of a binary task, else None."""
        return self._facts.positive if self._facts else None

    @property
    def positive_line(self) -> str:
        """Which label counts as positive, in a line; empty unless the task is binary."""
        return positive_line(self._facts, self.chosen) if self._facts else ""

    @property
    def classes(self) -> dict[Label, int]:
        """How many samples have each label; empty for a regression."""
        facts = self._facts
        return dict(zip(facts.labels, facts.counts, strict=True)) if facts else {}

    @property
    def coverage(self) -> str:
        """What a reader must know about failed folds; empty if there are none."""
        return coverage(self.n_failed, self.n_folds, self.has_earlier)

    @cached_property
    def folds(self) -> "pd.DataFrame":
        """One row a fold, with its metrics."""
        return self._table("folds")

    @cached_property
    def summary(self) -> "pd.DataFrame":
        """One row a metric."""
        return self._table("summary")

    @cached_property
    def predictions(self) -> "pd.DataFrame":
        """One row a test sample of a fold."""
        return self._table("predictions")

    @cached_property
    def history(self) -> "pd.DataFrame":
        """One row a value of an epoch."""
        return self._table("history")

    @cached_property
    def headline(self) -> str:
        """The first metric in a line, and the positive label if there is one."""
        summary = parquet.read_table(self.path / "summary.parquet")
        return headline_of(summary, named_positive(self._facts) if self._facts else "")

    def __str__(self) -> str:
        """Return what the command line prints: the positive label, and the table."""
        return self._text

    def __repr__(self) -> str:
        """Return in a line what it is of, and where its report is."""
        named = named_positive(self._facts) if self._facts else ""
        positive = f", positive {named}" if named else ""
        done = f"{self.n_folds - self.n_failed} of {self.n_folds} folds"
        return f"<Result {self.run_id}: {done}{positive}; {self.where}>"

    @cached_property
    def _text(self) -> str:
        line = self.positive_line
        return "\n".join([*([line] if line else []), summary_text(self.path)])

    @cached_property
    def _facts(self) -> TargetFacts | None:
        return facts_of(self.path)

    def _table(self, name: str) -> "pd.DataFrame":
        return parquet.read_table(self.path / f"{name}.parquet").to_pandas()


def facts_of(path: Path) -> TargetFacts | None:
    """Return what a report's folder holds of its target."""
    return TargetFacts.of_key(json.loads((path / "manifest.json").read_text("utf-8"))["key"])


def headline_of(summary: pa.Table, positive: str) -> str:
    """Return the first metric in a line, such as `r2 0.513 (0.401 to 0.625), 5 of 5 folds`.

    Args:
        summary: the table of that name.
        positive: the positive label with its count, or nothing.
    """
    return with_positive(metric_line(summary.slice(0, 1).to_pylist()[0]), positive)


def with_positive(line: str, positive: str) -> str:
    """Return a line of metrics with a binary task's positive label at its end."""
    return f"{line}; positive: {positive}" if positive else line


def coverage(failed: int, planned: int, has_earlier: bool = False) -> str:
    """Say how many folds failed; empty if none did.

    Args:
        failed: folds that failed.
        planned: all folds.
        has_earlier: what is reported is complete all the same: it is an earlier run's.
    """
    if not failed:
        return ""
    if has_earlier:
        kept = "the complete report of an earlier run was kept"
        return f"{failed} of {planned} folds failed this time; {kept}"
    return f"INCOMPLETE: {failed} of {planned} folds failed"


def summary_text(path: Path) -> str:
    """Return a report's table for a terminal: mean, spread and interval of each metric.

    Where folds failed, the worst case stands beside the mean of the others.
    """
    folds = parquet.read_table(path / "folds.parquet")
    classes = classes_of(parquet.read_schema(path / "predictions.parquet"))
    incomplete = "failed" in folds["status"].to_pylist()
    worst = ["worst case"] if incomplete else []
    rows = [["metric", "mean", *worst, "std", "min", "max", "95 % interval", "folds"]]
    for row in parquet.read_table(path / "summary.parquet").to_pylist():
        values = [value for value in folds[row["metric"]].to_pylist() if value is not None]
        low, high = row["ci_low"], row["ci_high"]
        rows.append(
            [
                row["metric"],
                shown(row["mean"]),
                *(shown(worst_case_mean(folds, row["metric"], classes)) for _ in worst),
                shown(row["std"]),
                *(shown(end(values) if values else None) for end in (min, max)),
                shown_range(low, high),
                f"{row['n_folds']} of {row['n_planned']}",
            ]
        )
    return aligned(rows)


def metric_line(row: Mapping[str, Any]) -> str:
    """Return a row of a summary in a line."""
    value = "no value" if row["mean"] is None else f"{row['mean']:.3f}"
    low, high = row["ci_low"], row["ci_high"]
    interval = "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"
    return f"{row['metric']} {value}{interval}, {row['n_folds']} of {row['n_planned']} folds"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines whose columns line up: the first to the left, the others right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_aligned(row, widths) for row in rows)


def _aligned(row: Sequence[str], widths: list[int]) -> str:
    first, *rest = (cell.ljust if i == 0 else cell.rjust for i, cell in enumerate(row))
    return "  ".join([first(widths[0]), *(pad(w) for pad, w in zip(rest, widths[1:], strict=True))])


def shown(value: float | None) -> str:
    """Write a value for a terminal."""
    return "-" if value is None else f"{value:.4f}"


def shown_range(low: float | None, high: float | None) -> str:
    """Write an interval for a terminal."""
    return "-" if low is None or high is None else f"{shown(low)} to {shown(high)}"
