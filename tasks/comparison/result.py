"""The result of a comparison: data frames, and the tables for a terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyarrow import parquet

from foldproof.tasks.comparison.folder import MODELS, PAGE, PAIRS
from foldproof.tasks.comparison.texts import better, by_rank, conclusion, method_with_sizes, p_text
from foldproof.tasks.data.target import Label
from foldproof.tasks.data.target_facts import named_positive
from foldproof.tasks.report.result import (
    Result,
    align_columns,
    coverage,
    facts_of,
    format_interval,
    format_value,
    with_positive,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ComparisonResult:
    """A finished comparison.

    Attributes:
        path: the comparison's folder.
        comparison_id: its name.
        results: the cross-validation of each model, in the order given.
        notices: what must be known of all of it; each result has its own.
    """

    path: Path
    comparison_id: str
    results: tuple[Result, ...]
    notices: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """The path of the comparison's folder."""
        return str(self.path)

    @property
    def page(self) -> str:
        """Where comparison.html is, for people."""
        return f"{self.where}/{PAGE}"

    @property
    def n_folds(self) -> int:
        """Folds that were planned, of all models."""
        return sum(result.n_folds for result in self.results)

    @property
    def n_failed(self) -> int:
        """Folds that failed, of all models."""
        return sum(result.n_failed for result in self.results)

    @property
    def coverage(self) -> str:
        """A line on failed folds; empty if there are none."""
        failed = [result for result in self.results if result.n_failed]
        has_earlier = all(result.has_earlier for result in failed)
        return coverage(self.n_failed, self.n_folds, has_earlier)

    @cached_property
    def models(self) -> "pd.DataFrame":
        """One row a metric and model."""
        return parquet.read_table(self.path / MODELS).to_pandas()

    @cached_property
    def pairs(self) -> "pd.DataFrame":
        """One row a metric, pair and method."""
        return parquet.read_table(self.path / PAIRS).to_pandas()

    @property
    def headline(self) -> str:
        """The models by the first metric, in a line, the best first."""
        rows = parquet.read_table(self.path / MODELS).to_pylist()
        metric = rows[0]["metric"]
        ranked = by_rank([row for row in rows if row["metric"] == metric])
        each = (f"{row['number']} {row['model']} {_mean(row['mean'])}" for row in ranked)
        facts = facts_of(self.results[0].path) if self.results else None
        positive = named_positive(facts) if facts else ""
        return with_positive(f"{metric}: {', '.join(each)}", positive)

    def __str__(self) -> str:
        """Return what the command line prints: the positive label, and the tables."""
        line = self.positive_line
        return "\n\n".join([*([line] if line else []), comparison_text(self.path)])

    @property
    def positive_line(self) -> str:
        """Which label counts as positive, in a line; empty unless the task is binary."""
        return self.results[0].positive_line if self.results else ""

    @property
    def positive(self) -> Label | None:
        """The positive label of a binary task, else None."""
        return self.results[0].positive if self.results else None

    @property
    def classes(self) -> dict[Label, int]:
        """The number of samples per label; empty for a regression."""
        return self.results[0].classes if self.results else {}


def _mean(value: float | None) -> str:
    return "without a value" if value is None else f"{value:.3f}"


def comparison_text(path: Path) -> str:
    """Return a comparison's tables for a terminal: models and pairs, metric by metric."""
    models = parquet.read_table(path / MODELS).to_pylist()
    pairs = parquet.read_table(path / PAIRS).to_pylist()
    blocks = []
    for metric in dict.fromkeys(row["metric"] for row in models):
        blocks.append("\n".join(_ranking([row for row in models if row["metric"] == metric])))
        blocks.append(_pairs([row for row in pairs if row["metric"] == metric]))
    return "\n\n".join([*blocks, "\n".join(_remarks(models, pairs))])


def _remarks(models: Sequence[dict[str, Any]], pairs: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield what a reader must know of differences and p-values."""
    for metric in dict.fromkeys(row["metric"] for row in models):
        of = ([row for row in rows if row["metric"] == metric] for rows in (models, pairs))
        yield conclusion(*of)
    yield f"difference: first minus second; {better(models)}"
    for family in dict.fromkeys(row["family"] for row in pairs if row["family"]):
        yield f"adjusted p: Holm's, over {family}"
    for method, note in dict.fromkeys((row["method"], row["note"]) for row in pairs if row["note"]):
        yield f"{method}: {note}"


def _ranking(rows: list[dict[str, Any]]) -> Iterator[str]:
    cells = [[rows[0]["metric"], "mean", "std", "interval", "folds", "rank"]]
    for row in by_rank(rows):
        cells.append(
            [
                f"{row['number']} {row['model']}",
                *(format_value(row[name]) for name in ("mean", "std")),
                format_interval(row),
                f"{row['n_folds']} of {row['n_planned']}",
                str(row["rank"] or "-"),
            ]
        )
    yield align_columns(cells)
    yield from (f"{row['number']} is {row['note']}" for row in rows if row["note"])


def _pairs(rows: Sequence[dict[str, Any]]) -> str:
    cells = [[f"{rows[0]['metric']}, pairs", "difference", "interval", "p", "adjusted p"]]
    for row in rows:
        cells.append(
            [
                f"{row['first_number']} - {row['second_number']}  {method_with_sizes(row)}",
                format_value(row["difference"]),
                format_interval(row),
                p_text(row["p"], "-"),
                p_text(row["p_adjusted"], "-"),
            ]
        )
    return align_columns(cells)
