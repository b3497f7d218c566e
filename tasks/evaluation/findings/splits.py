"""Splits that pass over what the data says: groups, and the order of a date."""

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foldproof.tasks.evaluation.findings.types import Check, Evidence, Finding

GROUP_WORDS = re.compile(
    r"(?i)(^|[^a-z])(patient|subject|person|participant|user|customer|session|family|animal|"
    r"specimen|donor|case|household|site|center|centre|hospital|group)([^a-z]|$|s$)"
)
MIN_PER_GROUP = 2.0  # rows, on the average
GROUPED = ("group_kfold", "stratified_group_kfold", "predefined")


def groups(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on a column that is named as groups are, and that the split passes over."""
    frame, method = evidence.frame, evidence.plan.method
    if frame is None or method in GROUPED or ":" in method or "@" in method:
        return
    for column in evidence.dataset.columns:
        distinct = pc.count_distinct(frame[column.name]).as_py()
        several = len(evidence.dataset.labels) < distinct <= frame.num_rows / MIN_PER_GROUP
        if several and GROUP_WORDS.search(column.name):
            shown = f"column {column.name!r}"
            message = f"{shown} is a feature with {distinct} values, and folds divide their rows"
            remedy = f"if rows of one value belong together: data.groups: {column.name}"
            yield Finding("FP116", message, remedy, shown)


def dates(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding on shuffled folds of rows that stand in the order of a date."""
    frame = evidence.frame
    if frame is None or evidence.plan.in_order or evidence.dataset.settings.time is not None:
        return
    for name in frame.column_names:
        if pa.types.is_timestamp(frame[name].type) and not frame[name].null_count:
            steps = np.diff(frame[name].cast(pa.int64()).to_numpy())
            if len(steps) and (steps >= 0).all() and steps.any():
                message = f"the rows stand in the order of column {name!r}, and folds mix them"
                remedy = f"if the model is to predict what comes later: data.time: {name}"
                yield Finding("FP117", message, remedy, f"column {name!r}")


CHECKS: tuple[Check, ...] = (groups, dates)
