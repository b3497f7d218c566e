"""Is there a complete report of a run already? Told before its data is read."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from foldproof.tasks.common.digest import digest_json
from foldproof.tasks.common.version import RESULTS_VERSION
from foldproof.tasks.folds.paths import RUNS
from foldproof.tasks.run.plan import RunPlan

MOST_REPORTS = 200  # the newest ones are looked at
OF_FILES = ("files", "opened")  # of a model: known only after its builder was called


def has_report(run: RunPlan, known: Mapping[str, Any]) -> bool:
    """Tell whether a complete report follows from the same settings and samples.

    Args:
        run: the run; only its settings and its model's identity are asked for.
        known: what is known of its samples, as from `known_sources`.
    """
    wanted = digest_json(_wanted(run, known))
    return any(digest_json(_found(key)) == wanted for key in _complete(run.out / RUNS))


def _wanted(run: RunPlan, known: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "foldproof": RESULTS_VERSION,
        "data": known.get("sha256"),
        "settings": known.get("settings"),
        "split": run.study.split.model_dump(mode="json"),
        "model": _without_files(run.identity.described),
        "train": run.study.train.model_dump(mode="json", exclude={"engine"}),
        "seed": run.study.seed,
        "numerics": run.placement.numerics.fingerprint(),
    }


def _found(key: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same of a report's key."""
    return {
        "foldproof": key["foldproof"],
        "data": key["data"]["sha256"],
        "settings": key["data"]["settings"],
        "split": key["split"]["settings"],
        "model": _without_files(key["model"]),
        "train": key["train"],
        "seed": key["seed"],
        "numerics": key["numerics"],
    }


def _without_files(model: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in model.items() if name not in OF_FILES}


def _complete(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the keys of complete reports, of the newest ones first."""
    try:
        paths = sorted(folder.glob("*/manifest.json"), key=_changed_at, reverse=True)
    except OSError:
        return
    for path in paths[:MOST_REPORTS]:
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            done = sum(one["certificate"] is not None for one in manifest["certificates"])
            if done == manifest["key"]["split"]["folds"] and _found(manifest["key"]):
                yield manifest["key"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # a damaged report, or another version's


def _changed_at(path: Path) -> float:
    return path.stat().st_mtime
