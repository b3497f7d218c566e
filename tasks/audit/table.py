"""The audit's table, with one row per comparison of two fits, and its verdict."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa

from foldproof.tasks.evaluation.schemas import FOLD_COLUMNS, described_schema

REPEAT, REFERENCE = "repeat", "reference"


@dataclass(frozen=True)
class Comparison:
    """A fit under a cause beside another one; `audit_schema` describes each attribute."""

    model: str
    repeat: int
    fold: int
    cause: str
    title: str
    done: str
    compared_with: str
    metric: str
    applies: bool = True
    bit_equal: bool | None = None
    first_divergent_epoch: int | None = None
    weights_sha256: str | None = None
    other_weights_sha256: str | None = None
    predictions_sha256: str | None = None
    other_predictions_sha256: str | None = None
    score_difference: float | None = None
    value: float | None = None
    other_value: float | None = None
    metric_difference: float | None = None
    epochs_watched: int | None = None
    distinct_orders: int | None = None
    error: str | None = None
    meaning: str = ""


@dataclass(frozen=True)
class Verdict:
    """The conclusion of the audit in one sentence, and whether foldproof reproduced its bits."""

    reproducible: bool
    sentence: str


def audit_table(rows: Sequence[Comparison]) -> pa.Table:
    """Return the comparisons as the table of audit.parquet."""
    return pa.Table.from_pylist([asdict(row) for row in rows], schema=audit_schema())


def judge(rows: Sequence[Comparison]) -> Verdict:
    """Return the verdict on all comparisons."""
    if not rows[0].bit_equal:
        loud = "NOT REPRODUCIBLE: even foldproof's way gave other bits in another process."
        return Verdict(False, f"{loud} {rows[0].meaning}")
    own = "foldproof's way gave the same bits twice."
    differ = [row.title for row in rows[1:] if row.compared_with == REPEAT and is_different(row)]
    depends = [
        row.title for row in rows[1:] if row.compared_with == REFERENCE and is_different(row)
    ]
    if not differ:
        own += " No cause made fits of this model differ from each other."
    else:
        own += f" Fits of this model differ, or fail, under: {'; '.join(differ)}."
    if depends:
        own += f" They repeat, but other than foldproof's way, under: {'; '.join(depends)}."
    return Verdict(True, own)


def is_different(row: Comparison) -> bool:
    """Return whether the fits differ, or one of them failed."""
    return row.applies and row.bit_equal is not True


def audit_schema() -> pa.Schema:
    """Return the schema of audit.parquet: one row a comparison of two fits."""
    return described_schema(
        [
            *FOLD_COLUMNS,
            ("cause", pa.string(), "The cause's name; reference is foldproof's own way."),
            ("title", pa.string(), "The cause, for people."),
            ("done", pa.string(), "What was done."),
            (
                "compared_with",
                pa.string(),
                "What the last fit under the cause is compared with: repeat, the one before it; "
                "reference, the fold by foldproof's own way.",
            ),
            ("applies", pa.bool_(), "The cause exists for this kind of model."),
            ("bit_equal", pa.bool_(), "All weights and predictions have the same bits."),
            (
                "first_divergent_epoch",
                pa.int32(),
                "The first epoch, from 1, after which weights differ; 0: they differ before the "
                "first batch; null: they do not differ, or there are none to compare.",
            ),
            ("weights_sha256", pa.string(), "SHA-256 of the trained weights."),
            ("other_weights_sha256", pa.string(), "The same of the fit compared with."),
            ("predictions_sha256", pa.string(), "SHA-256 of the raw output for the test rows."),
            ("other_predictions_sha256", pa.string(), "The same of the fit compared with."),
            ("score_difference", pa.float64(), "Largest difference in a test row's score."),
            ("metric", pa.string(), "The metric: the first one configured."),
            ("value", pa.float64(), "The metric on the test rows; null where undefined."),
            ("other_value", pa.float64(), "The same of the fit compared with."),
            ("metric_difference", pa.float64(), "Their difference, without its sign."),
            ("epochs_watched", pa.int32(), "Epochs in which the order of the rows was watched."),
            ("distinct_orders", pa.int32(), "Different orders of the rows in those."),
            ("error", pa.string(), "Why a fit failed, in one line."),
            ("meaning", pa.string(), "What the outcome means, in words."),
        ]
    )
