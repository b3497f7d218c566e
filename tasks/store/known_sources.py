"""Which samples a file held when it was read, kept in `OUT/sources/` by the file's SHA-256.

With it a run can tell before it reads anything whether a report of it is stored already. That
decides only what is started early: keys are always made of the samples that were read.
"""

import json
from pathlib import Path
from typing import Any

from foldproof.tasks.common.digest import digest_json
from foldproof.tasks.common.version import RESULTS_VERSION
from foldproof.tasks.common.whole_files import write_whole
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.data.sources.choose import content_digest

SOURCES = "sources"


def source_record(spec: DataSpec, fold_column: str | None) -> str | None:
    """Return the name, below `OUT`, of what is known of a source; None where nothing can be.

    Args:
        spec: where the bytes are and how they are read.
        fold_column: the column of a predefined split, or None.
    """
    content = content_digest(spec)
    if content is None:
        return None
    settings = spec.model_dump(mode="json", exclude={"source"})
    return f"{SOURCES}/{digest_json([RESULTS_VERSION, content, settings, fold_column])}.json"


def read_known(path: Path) -> dict[str, Any] | None:
    """Return what is known of the samples of a source, or None where it was never read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def keep_known(dataset: Dataset, path: Path) -> None:
    """Keep what is known of the samples of a source: a reader sees all of it or nothing."""
    write_whole(path, json.dumps(known_of(dataset)))


def known_of(dataset: Dataset) -> dict[str, Any]:
    """Return what is kept of samples: their digest, and the settings as resolved."""
    settings = dataset.settings.without_place()
    return {"sha256": dataset.digest, "ids": dataset.ids_digest, "settings": settings}
