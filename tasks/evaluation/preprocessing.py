"""What preprocessing did to each column: a row a fold and column, and in words for all folds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from foldproof.tasks.evaluation.schemas import described_schema
from foldproof.tasks.folds.result import FinishedFold

PREPROCESSING = "preprocessing.parquet"  # of data that is more than plain numbers
MAX_SHOWN_STEPS = 2  # of a column whose steps differ between folds


@dataclass(frozen=True)
class ColumnSummary:
    """What all folds did to a column, for people.

    Attributes:
        column, kind: its name, and numbers, booleans, categories, texts, dates or times.
        gaps: the least and the most training rows of a fold without a value.
        steps: what was done, in words; several where folds differ.
        outputs: the least and the most features that became of it; empty if nobody knows.
    """

    column: str
    kind: str
    gaps: str
    steps: str
    outputs: str


def preprocessing_rows(repeat: int, fold: int, finished: FinishedFold) -> list[dict[str, Any]]:
    """Return a row of the table for each column of a fold."""
    place = {"repeat": repeat, "fold": fold}
    rows = [place | column.plain() for column in finished.columns]
    return [row | {"outputs": row["outputs"] if row["outputs"] >= 0 else None} for row in rows]


def preprocessing_table(rows: list[dict[str, Any]]) -> pa.Table | None:
    """Return the rows as a table; None where there is nothing to tell."""
    return pa.Table.from_pylist(rows, schema=preprocessing_schema()) if rows else None


def preprocessing_schema() -> pa.Schema:
    """Return the schema of preprocessing.parquet: one row a fold and column."""
    return described_schema(
        [
            ("repeat", pa.int16(), "The repeat, from 0."),
            ("fold", pa.int16(), "The fold within its repeat, from 0."),
            ("column", pa.string(), "The column of the data."),
            ("kind", pa.string(), "numbers, booleans, categories, texts, dates or times."),
            ("gaps", pa.int64(), "Rows that it was fitted to, without a value."),
            ("step", pa.string(), "What was done to it."),
            ("outputs", pa.int32(), "Features that became of it; null if only its maker knows."),
        ]
    )


def summarise_columns(table: pa.Table) -> list[ColumnSummary]:
    """Summarise a table of preprocessing over its folds, in the order of the columns."""
    by_column: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        by_column.setdefault(row["column"], []).append(row)
    return [_summary(name, rows) for name, rows in by_column.items()]


def _summary(name: str, rows: Sequence[dict[str, Any]]) -> ColumnSummary:
    steps = list(dict.fromkeys(row["step"] for row in rows))
    more = f" | {len(steps) - MAX_SHOWN_STEPS} more" if len(steps) > MAX_SHOWN_STEPS else ""
    known = [row["outputs"] for row in rows if row["outputs"] is not None]
    return ColumnSummary(
        column=name,
        kind=rows[0]["kind"],
        gaps=_range([row["gaps"] for row in rows]),
        steps=" | ".join(steps[:MAX_SHOWN_STEPS]) + more,
        outputs=_range(known),
    )


def _range(counts: Sequence[int]) -> str:
    if not counts:
        return ""
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"
