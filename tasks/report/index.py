"""OUT/index.html and OUT/latest: what was run here, and the last of it."""

import contextlib
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from foldproof.tasks.folds.paths import RUNS
from foldproof.tasks.report.found_runs import FoundRun, count_runs, found_runs
from foldproof.tasks.report.page_template import fill_template

INDEX, LATEST = "index.html", "latest"


def update_index(out: Path, last: Path) -> None:
    """Write the page of all runs, and let `latest` lead to the last one.

    Neither is needed by anything: where they cannot be written, there is none.

    Args:
        out: the folder of results.
        last: the report's folder of the run that has just ended.
    """
    with contextlib.suppress(OSError):
        _replace(out / LATEST, lambda draft: draft.symlink_to(Path(RUNS, last.name)))
    with contextlib.suppress(OSError):
        page = index_page(found_runs(out), count_runs(out))
        _replace(out / INDEX, lambda draft: draft.write_text(page, encoding="utf-8"))


def index_page(runs: Sequence[FoundRun], count: int) -> str:
    """Return the page of some runs, the newest of as many as there are."""
    more = f"; {count - len(runs)} more are in the folder {RUNS}" if count > len(runs) else ""
    shown = "1 run" if len(runs) == 1 else f"{len(runs)} runs, the newest first"
    subtitle = f"{shown}{more}"
    words = {"title": "foldproof: runs", "heading": "Runs", "subtitle": subtitle}
    package = "foldproof.tasks.report"
    return fill_template(package, "index.html.j2", None, runs=runs, folder=RUNS, **words)


def _replace(place: Path, write: Callable[[Path], object]) -> None:
    """Make something beside its place and rename it, so that others never see half of it."""
    draft = place.with_name(f".{place.name}.{socket.gethostname()}-{os.getpid()}.part")
    draft.unlink(missing_ok=True)
    try:
        write(draft)
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
