"""Find the stored report of a run before its data is read."""

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from pyarrow import parquet

from foldproof.tasks.common.digest import digest_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.version import RESULTS_VERSION, VERSION
from foldproof.tasks.config.keyed import keyed_settings
from foldproof.tasks.config.train import SAME_BITS
from foldproof.tasks.folds.keys import (
    given_settings,
    own_metrics,
    own_splitter,
    report_versions,
)
from foldproof.tasks.folds.paths import RUNS
from foldproof.tasks.report.finished import FinishedRun
from foldproof.tasks.report.folder import EXECUTION
from foldproof.tasks.report.result import Result
from foldproof.tasks.run.plan import RunPlan
from foldproof.tasks.user_code.opened_files.record import may_open_files, read_record
from foldproof.tasks.user_code.search_path import import_folders

MAX_REPORTS = 200  # the newest ones are looked at
OF_FILES = ("files", "opened")  # of a model: known only after its builder was called
REQUEST, RECORD, NOTICES = "request", "builder_record", "notices"  # in execution.parquet


def matching_reports(run: RunPlan, known: Mapping[str, Any]) -> tuple[Path, ...]:
    """Return the complete reports that follow from the same settings and samples, newest first.

    Args:
        run: the run; only its settings and its model's identity are asked for.
        known: what is known of its samples, as from `known_sources`.
    """
    wanted = digest_json(_wanted(run, known))
    found = _complete(run.out / RUNS)
    return tuple(folder for folder, key in found if digest_json(_found(key)) == wanted)


def stored_result(run: RunPlan, reports: Sequence[Path]) -> Result | None:
    """Return the result of an intact report of the same request, or None.

    Args:
        run: the run; nothing is read or started for it.
        reports: those that match it.
    """
    request = request_digest(run) if reports else ""
    return next(filter(None, (_answer(run, request, folder) for folder in reports)), None)


def _answer(run: RunPlan, request: str, folder: Path) -> Result | None:
    """Return the result of a report if it is intact and of this request."""
    try:
        found, facts = FinishedRun.read(folder), _facts_of(folder)
        is_whole = facts.get(REQUEST) == request and not any(found.damaged_files())
        notices = tuple(map(str, json.loads(facts[NOTICES]))) if is_whole else ()
    except (InputError, OSError, ValueError, KeyError, TypeError):
        return None  # damaged: the run writes it anew
    record = facts.get(RECORD)
    if not is_whole or (record and read_record(run.out / record) is None):
        return None
    return Result(
        path=folder,
        run_id=folder.name,
        n_folds=found.key["split"]["folds"],
        n_failed=0,
        notices=notices,
        chosen=run.chose_positive,
        study=run.study,
    )


def _facts_of(folder: Path) -> dict[str, str]:
    """Return the metadata of a report's execution.parquet, without foldproof's prefix.

    Raises:
        OSError, ValueError: there is none that can be read.
    """
    metadata = parquet.read_schema(folder / EXECUTION).metadata or {}
    return {name.decode().removeprefix("foldproof."): v.decode() for name, v in metadata.items()}


def request_facts(run: RunPlan, notices: Sequence[str]) -> dict[str, str]:
    """Return the facts in execution.parquet by which `stored_result` finds a report."""
    record = run.record if may_open_files(run.study.model.builder) else ""
    return {
        REQUEST: request_digest(run),
        RECORD: record,
        NOTICES: json.dumps(notices, ensure_ascii=False),
    }


def request_digest(run: RunPlan) -> str:
    """Return the digest of settings, model and search path: all but the source's content."""
    study = run.study.model_dump(mode="json")
    names = () if run.study.metrics == "auto" else tuple(run.study.metrics)
    own = [own_splitter(run.study.split.method), own_metrics(names)]
    parts = [VERSION, report_versions(), study, run.identity.described, own, import_folders()]
    return digest_json(parts)


def _wanted(run: RunPlan, known: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "foldproof": RESULTS_VERSION,
        "data": known.get("sha256"),
        "ids": known.get("ids", ""),
        "settings": known.get("settings"),
        "split": keyed_settings(run.study.split),
        "given": given_settings(run.study.split, run.study.data.time),
        "model": _without_files(run.identity.described),
        "train": keyed_settings(run.study.train, without=SAME_BITS),
        "seed": run.study.seed,
        "numerics": run.placement.numerics.fingerprint(),
        "report": report_versions(),
        "pandas": metadata.version("pandas"),
    }


def _found(key: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same of a report's key."""
    return {
        "foldproof": key["foldproof"],
        "data": key["data"]["sha256"],
        "ids": key["data"].get("ids", ""),
        "settings": key["data"]["settings"],
        "split": key["split"]["settings"],
        "given": {name: key["split"][name] for name in ("given",) if name in key["split"]},
        "model": _without_files(key["model"]),
        "train": key["train"],
        "seed": key["seed"],
        "numerics": key["numerics"],
        "report": {name: of for name, of in key["report"].items() if name != "settings"},
        "pandas": key.get("preprocess", {}).get("pandas", metadata.version("pandas")),
    }


def _without_files(model: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in model.items() if name not in OF_FILES}


def _complete(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield complete reports and their keys, the newest ones first."""
    try:
        paths = sorted(folder.glob("*/manifest.json"), key=_changed_at, reverse=True)
    except OSError:
        return
    for path in paths[:MAX_REPORTS]:
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            done = sum(one["certificate"] is not None for one in manifest["certificates"])
            if done == manifest["key"]["split"]["folds"] and _found(manifest["key"]):
                yield path.parent, manifest["key"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # a damaged report, or another version's


def _changed_at(path: Path) -> float:
    return path.stat().st_mtime
