"""Compare runs that are finished, from their reports alone: nothing is trained."""

import json
import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from foldproof.tasks.common.errors import InputError, said_of
from foldproof.tasks.comparison.folder import write_comparison
from foldproof.tasks.comparison.models import ComparedModel, read_models
from foldproof.tasks.comparison.result import ComparisonResult
from foldproof.tasks.comparison.tables import compare_tables
from foldproof.tasks.folds.paths import RUNS
from foldproof.tasks.report.finished import FinishedRun
from foldproof.tasks.report.folder import MANIFEST
from foldproof.tasks.report.parquet_tables import report_errors_as_input_error
from foldproof.tasks.report.result import Result

RUN_ID = re.compile(r"[0-9a-f]{12}")
SAME: dict[str, tuple[str, ...]] = {  # what compared runs must share, by the setting that it is of
    "data.source": ("data", "sha256"),
    "data.positive": ("data", "settings", "positive"),
    "split.method": ("split", "sha256"),
    "metrics": ("metrics",),
}


def run_folders(names: Sequence[str], out: Path) -> tuple[Path, ...]:
    """Return the report folders that all names mean, or nothing if none means one.

    Args:
        names: folders OUT/runs/RUN_ID, RUN_IDs below `out`, or files of settings.
        out: the folder of results.

    Raises:
        InputError: some of them are runs, and some are not.
    """
    found = [_folder_of(name, out) for name in names]
    known = tuple(path for path in found if path is not None)
    if known and len(known) < len(names):
        other = names[found.index(None)]
        problem = f"{other!r} is no finished run; give finished runs only, or settings files only"
        raise InputError("command line", problem)
    return known


def compare_finished(paths: Sequence[Path]) -> ComparisonResult:
    """Compare finished runs, and write the comparison beside the first one's report.

    Args:
        paths: folders OUT/runs/RUN_ID, two or more.

    Raises:
        InputError: a report is damaged, or they are not of the same data, folds and metrics.
    """
    if len(paths) < 2:
        raise InputError("runs", "one alone cannot be compared; give two or more")
    for path in paths:
        with said_of(str(path)):
            for line in FinishedRun.read(path).damaged_files():
                raise InputError("report", f"{line}; ask for another copy")
    with report_errors_as_input_error():
        models = read_models(paths)
        _refuse_different(models)
        where = write_comparison(models, compare_tables(models), paths[0].parent.parent)
        return ComparisonResult(where, where.name, tuple(_result(model) for model in models))


def _folder_of(name: str, out: Path) -> Path | None:
    candidates = [Path(name)] + ([out / RUNS / name] if RUN_ID.fullmatch(name) else [])
    return next((path.resolve() for path in candidates if (path / MANIFEST).is_file()), None)


def _refuse_different(models: Sequence[ComparedModel]) -> None:
    first, *others = models
    for model in others:
        for field, place in SAME.items():
            before, now = (_at(one.run.key, place) for one in (first, model))
            if before != now:
                told = f"{_shown(before)} in {first.run_id}, {_shown(now)} in {model.run_id}"
                raise InputError(field, f"{told}; compared runs need the same")
    for one, other in combinations(models, 2):
        if one.run_id == other.run_id:
            raise InputError("runs", f"{one.run_id} is there twice; leave one out")


def _at(key: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        key = key[name]
    return key


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:16]}...{text[-1]}"


def _result(model: ComparedModel) -> Result:
    path = model.run.path
    return Result(path, model.run_id, n_folds=len(model.run.folds), n_failed=model.n_failed)
