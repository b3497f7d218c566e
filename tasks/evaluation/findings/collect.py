"""Look for all findings, leave out those that are silenced, and make them a table."""

from collections.abc import Sequence
from functools import cache

import pyarrow as pa

from foldproof.tasks.common.declared import declared
from foldproof.tasks.evaluation.findings.types import Check, Evidence, Finding
from foldproof.tasks.evaluation.schemas import described_schema

FINDINGS = "findings.parquet"


def find(evidence: Evidence) -> tuple[Finding, ...]:
    """Return the findings of a run by their codes, without those that `report.ignore` names."""
    found = [finding for check in _checks() for finding in check(evidence)]
    silent = set(evidence.study.report.ignore)
    kept = [finding for finding in found if finding.code not in silent]
    kept.sort(key=lambda finding: finding.code)
    return (*kept, *_silenced(found, silent))


def findings_table(findings: Sequence[Finding]) -> pa.Table:
    """Return findings.parquet: one row a finding."""
    rows = [vars(finding) for finding in findings]
    return pa.Table.from_pylist(rows, schema=findings_schema())


def findings_schema() -> pa.Schema:
    """Return the schema of findings.parquet."""
    return described_schema(
        [
            ("code", pa.string(), "What docs/findings.md explains it under."),
            ("severity", pa.string(), "info, warning or error."),
            ("message", pa.string(), "What was seen."),
            ("remedy", pa.string(), "What to do."),
            ("where", pa.string(), "The features, folds or labels that it is about."),
        ]
    )


def _silenced(found: Sequence[Finding], silent: set[str]) -> list[Finding]:
    codes = sorted({finding.code for finding in found} & silent)
    message = f"report.ignore silences {' and '.join(codes)}"
    return [Finding("FP100", message, severity="info")] if codes else []


@cache
def _checks() -> tuple[Check, ...]:
    groups: list[Sequence[Check]] = declared(__package__ or "", "CHECKS")
    return tuple(check for group in groups for check in group)
