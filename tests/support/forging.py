"""Forge reports as somebody would who knows how they are made: all digests fit again."""

import json
from pathlib import Path
from typing import Any

from pyarrow import parquet

from foldproof.tasks.folds.keys import run_id
from foldproof.tasks.report.finished import FinishedRun
from foldproof.tasks.verification.refit import verify


def name_code(report: Path, setting: str, reference: str, **params: Any) -> None:
    """Let a report's manifest name code in a setting, with arguments for a builder."""

    def change(key: dict[str, Any]) -> None:
        if setting == "model.builder":
            key["model"].update(builder=reference, params=params)
        elif setting == "split.method":
            key["split"]["settings"]["method"] = key["split"]["method"] = reference
        elif setting == "metrics":
            key["metrics"] = [reference]
        elif setting == "train.callbacks":
            key["train"]["callbacks"] = [{reference: params}]
        elif setting in ("train.learning_rate", "train.metrics"):
            named = {reference: params}
            key["train"][setting[6:]] = [named] if setting == "train.metrics" else named
        else:
            key["train"][setting.removeprefix("train.")] = reference

    change_key(report, change)


def change_key(report: Path, change: Any) -> None:
    """Change a manifest's key, and give the report the RUN_ID that follows from it."""
    path = report / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest["key"])
    manifest["run_id"] = run_id(manifest["key"])
    path.write_text(json.dumps(manifest))


def name_source(report: Path, source: str) -> None:
    """Let a report say where its data was; no digest covers that."""
    path = report / "execution.parquet"
    table = parquet.read_table(path)
    metadata = {**(table.schema.metadata or {}), b"foldproof.source": source.encode()}
    parquet.write_table(table.replace_schema_metadata(metadata), path)


def verified(report: Path, **more: Any) -> tuple[bool, list[str]]:
    """Verify a fold of a report; return the verdict and all lines that were said."""
    lines: list[str] = []
    source = more.pop("source", None)
    agrees = verify(FinishedRun.read(report), source, 1, "bit", lines.append, **more)
    return agrees, lines
