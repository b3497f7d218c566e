"""Which samples a file held when it was read, kept in `OUT/sources/` by the file's SHA-256.

With it a run can tell before it reads anything whether a report of it is stored already. That
decides only what is started early: keys are always made of the samples that were read.
"""

import json
import os
import socket
from functools import cache
from pathlib import Path
from typing import Any

from foldproof.tasks.common.digest import digest_file, digest_json
from foldproof.tasks.common.version import RESULTS_VERSION
from foldproof.tasks.config.arrays_in_memory import is_in_memory
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.dataset import Dataset

SOURCES = "sources"


def source_record(spec: DataSpec, fold_column: str | None) -> str | None:
    """Return the name, below `OUT`, of what is known of a source; None where nothing can be.

    Args:
        spec: where the bytes are and how they are read.
        fold_column: the column of a predefined split, or None.
    """
    content = _content(spec.source)
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
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{socket.gethostname()}-{os.getpid()}.part")
    try:
        temporary.write_text(json.dumps(known_of(dataset)), encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def known_of(dataset: Dataset) -> dict[str, Any]:
    """Return what is kept of samples: their digest, and the settings as resolved."""
    settings = dataset.settings.model_dump(mode="json", exclude={"source", "csv"})
    return {"sha256": dataset.digest, "settings": settings}


def _content(source: str) -> str | None:
    """Return a digest of a source's bytes and of the kind of file that they are."""
    if is_in_memory(source) or "://" in source:
        return None
    path = Path(source)
    try:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file())
            return digest_json([[str(f.relative_to(path)), _digest(f)] for f in files])
        if path.is_file():
            return digest_json([path.name.partition(".")[2].lower(), _digest(path)])
    except OSError:  # said when it is read
        return None
    return digest_json(["bundled", source])


def _digest(path: Path) -> str:
    stat = path.stat()
    return _digest_once(path, stat.st_size, stat.st_mtime_ns)


@cache
def _digest_once(path: Path, size: int, changed_at: int) -> str:
    """Hash a file once in a process: several models of a comparison have the same."""
    return digest_file(path)
