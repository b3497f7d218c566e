"""settings.yaml: the settings of a run's key, to run it again on data of one's own."""

from collections.abc import Mapping
from typing import Any

import yaml

from foldproof.tasks.config.study import Study

SETTINGS = "settings.yaml"
HEAD = (
    "# The settings of this run, without where its data was. To repeat it:\n"
    "# foldproof cv --config settings.yaml --data.source YOUR_FILE\n"
)


def settings_text(key: Mapping[str, Any]) -> str:
    """Return the content of the file."""
    settings = {name: value for name, value in settings_of(key).items() if value != {}}
    return HEAD + yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)


def settings_of(key: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a run's key holds, as a user would give them, without a source."""
    split = key["split"]["settings"]
    given = {name: split[name] for name in key["split"].get("given", ())}
    return {
        "data": _chosen("data", key["data"]["settings"]),
        "split": _chosen("split", split) | given,
        "model": {"builder": key["model"]["builder"], "params": key["model"]["params"]},
        "train": _chosen("train", key["train"]) | _scaler(key),
        "metrics": key["metrics"],
        "report": key["report"].get("settings", {}),
        "compute": {name: key["compute"][name] for name in ("device", "threads")},
        "seed": key["seed"],
    }


def _scaler(key: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scaler that was applied, also where it is the default: images have none."""
    applies = key["data"]["settings"].get("preprocess", "auto") == "auto"
    return {"scaler": key["train"]["scaler"]} if applies else {}


def _chosen(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is at its default, as a user would, who is told of settings without effect."""
    defaults = type(Study.model_fields[section].default)().model_dump(mode="json")
    return {name: value for name, value in values.items() if value != defaults.get(name)}
