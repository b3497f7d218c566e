"""What runs lie in a folder of results, newest first: for `foldproof list` and OUT/index.html."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from foldproof.tasks.common.text import one_line
from foldproof.tasks.data.sources.choose import shown
from foldproof.tasks.folds.paths import RUNS
from foldproof.tasks.report.folder import EXECUTION, MANIFEST
from foldproof.tasks.report.result import metric_line

DAMAGE = (OSError, ValueError, LookupError, TypeError, RecursionError, pa.ArrowException)
MOST = 200  # runs that are read; a folder of more has the newest


@dataclass(frozen=True)
class FoundRun:
    """A run that has a report.

    Attributes:
        run_id: its name.
        path: the report's folder.
        at: when its command ended, UTC.
        name: what people call it, or nothing.
        model: the builder.
        data: where the data was.
        first: its first metric in a line.
        failed: folds that failed.
    """

    run_id: str
    path: Path
    at: datetime
    name: str
    model: str
    data: str
    first: str
    failed: int

    @property
    def when(self) -> str:
        """When its command ended, in this machine's time."""
        return self.at.astimezone().strftime("%Y-%m-%d %H:%M")


def found_runs(out: Path, most: int = MOST) -> list[FoundRun]:
    """Return the runs of a folder of results, newest first; what is damaged is left out."""
    folders = sorted(_folders(out / RUNS), key=lambda found: found[0], reverse=True)
    read = (_read(path, seconds) for seconds, path in folders[:most])
    return [run for run in read if run is not None]


def count_runs(out: Path) -> int:
    """Return how many runs a folder of results has."""
    return sum(1 for _ in _folders(out / RUNS))


def _folders(runs: Path) -> Iterator[tuple[float, Path]]:
    """Yield each report's folder, with the time at which its command ended."""
    if not runs.is_dir():
        return
    for path in runs.iterdir():
        try:
            if path.name[0] != ".":
                yield (path / EXECUTION).stat().st_mtime, path
        except OSError:  # no report, or one that is just being replaced
            continue


def _read(path: Path, seconds: float) -> FoundRun | None:
    try:
        key = json.loads((path / MANIFEST).read_text("utf-8"))["key"]
        first = parquet.read_table(path / "summary.parquet").slice(0, 1).to_pylist()[0]
        statuses = parquet.read_table(path / "folds.parquet", columns=["status"])["status"]
        metadata = parquet.read_schema(path / EXECUTION).metadata or {}
        return FoundRun(
            run_id=path.name,
            path=path,
            at=datetime.fromtimestamp(seconds, UTC),
            name=one_line(_text(metadata, "name")),
            model=one_line(_model(key["model"]["builder"])),
            data=one_line(_data(_text(metadata, "source"), key)),
            first=one_line(metric_line(first)),
            failed=statuses.to_pylist().count("failed"),
        )
    except DAMAGE:
        return None


def _text(metadata: dict[bytes, bytes], name: str) -> str:
    return metadata.get(f"foldproof.{name}".encode(), b"").decode(errors="replace")


def _model(builder: str) -> str:
    return str(builder).rpartition(":")[2].partition("@")[0]


def _data(source: str, key: Any) -> str:
    rows = key["data"]["rows"]
    name = Path(shown(source)).name
    return f"{name}, {rows} rows" if name else f"{rows} rows"
