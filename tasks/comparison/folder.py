"""Write the comparison's folder atomically, with the same bytes for the same runs."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from foldproof.tasks.common.digest import digest_file, digest_json
from foldproof.tasks.common.version import RESULTS_VERSION
from foldproof.tasks.comparison.models import ComparedModel
from foldproof.tasks.comparison.page import render
from foldproof.tasks.comparison.tables import ComparisonTables
from foldproof.tasks.report.folder import MANIFEST, keep_existing, write_manifest, write_table
from foldproof.tasks.store.atomic_folders import write_folder_atomically

MODELS, PAIRS, PAGE = "models.parquet", "comparison.parquet", "comparison.html"


def comparison_id(models: Sequence[ComparedModel]) -> str:
    """Return the folder's name: 12 hex digits of the digest of RUN_IDs and results version."""
    return digest_json(_key(models))[:12]


def write_comparison(models: Sequence[ComparedModel], tables: ComparisonTables, out: Path) -> Path:
    """Write the folder below the output folder and return where it is."""
    final = out / "comparisons" / comparison_id(models)
    write_folder_atomically(
        final, lambda draft: _fill(draft, models, tables), keep_existing(_has_failures)
    )
    return final


def _fill(folder: Path, models: Sequence[ComparedModel], tables: ComparisonTables) -> None:
    write_table(tables.models, folder / MODELS)
    write_table(tables.pairs, folder / PAIRS)
    (folder / PAGE).write_text(render(models, tables), encoding="utf-8", newline="\n")
    runs = [
        {
            "number": model.number,
            "model": model.label,
            "run_id": model.run_id,
            "manifest_sha256": digest_file(model.run.path / MANIFEST),
        }
        for model in models
    ]
    facts = {"comparison_id": comparison_id(models), "key": _key(models), "runs": runs}
    write_manifest(folder, facts)


def _key(models: Sequence[ComparedModel]) -> dict[str, object]:
    return {"foldproof": RESULTS_VERSION, "runs": [model.run_id for model in models]}


def _has_failures(folder: Path) -> bool:
    try:
        failed = parquet.read_table(folder / MODELS, columns=["n_failed"])["n_failed"]
    except (OSError, KeyError, pa.ArrowException):
        return True
    return any(failed.to_pylist())
