"""Values that became equal as float32, which is what nets learn from."""

from collections.abc import Iterator

from foldproof.tasks.config.named.inputs import of_each
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.data.wide_columns import MergedColumn
from foldproof.tasks.evaluation.findings.types import Check, Evidence, Finding

MIN_DISTINCT_SHARE = 0.99  # of a column's distinct values, below which a merge is no coincidence


def merged(evidence: Evidence) -> Iterator[Finding]:
    """Yield findings on distinct values that became equal as float32."""
    yield from of_data(evidence.dataset, evidence.study.train, evidence.is_keras)


def of_data(dataset: Dataset, train: TrainSpec, keras: bool) -> Iterator[Finding]:
    """Yield what is found in the data.

    Args:
        dataset: the samples.
        train: for the scaler, which sees columns before they become float32.
        keras: the model is Keras's, and learns float32 targets.
    """
    given = of_each(dataset.settings.preprocess).values()
    unscaled = train.scaler == "none" or "none" in given
    if dataset.merged and unscaled:
        first, more = dataset.merged[0], len(dataset.merged) - 1
        also = f" (and {more} more)" if more else ""
        remedy = "set train.scaler: standard, which keeps them apart"
        message = f"column {first.name!r}{also} is {_coarse(first, first.left)}"
        yield Finding("FP119", message, remedy, f"column {first.name!r}")
    elif still := [
        column for column in dataset.merged if column.scaled < MIN_DISTINCT_SHARE * column.distinct
    ]:
        shown = f"column {still[0].name!r} is {_coarse(still[0], still[0].scaled)}"
        remedy = "divide it into two, such as days and seconds"
        where = f"column {still[0].name!r}"
        yield Finding("FP119", f"{shown}, even when it is scaled", remedy, where)
    if keras and dataset.merged_target is not None:
        yield from _coarse_target(dataset.merged_target, train.target_scaler != "none")


def _coarse_target(target: MergedColumn, is_scaled: bool) -> Iterator[Finding]:
    if not is_scaled:
        remedy = "set train.target_scaler: standard, which keeps them apart"
        yield Finding("FP119", f"the target is {_coarse(target, target.left)}", remedy)
    elif target.scaled < MIN_DISTINCT_SHARE * target.distinct:
        remedy = "subtract what its values have in common"
        shown = f"the target is {_coarse(target, target.scaled)}"
        yield Finding("FP119", f"{shown}, even when it is scaled", remedy)


def _coarse(merged: MergedColumn, left: int) -> str:
    return f"too fine for float32: {left} of {merged.distinct} distinct values are left"


CHECKS: tuple[Check, ...] = (merged,)
