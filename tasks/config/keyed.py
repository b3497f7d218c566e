"""Settings as keys hold them.

A setting that came after 0.1.0 stands in a key only where it is not at its default, so that the
keys of all that does without it stay the same.
"""

from collections.abc import Collection
from typing import Any

from foldproof.tasks.config.types import Section

LATER = {
    "DataSpec": ("time", "id", "inputs", "preprocess"),
    "SplitSpec": ("gap", "window"),
    "ReportSpec": ("level", "intervals", "rope", "ignore"),
    "TrainSpec": ("sampler", "metrics", "callbacks", "target_scaler"),
}


def keyed_settings(section: Section, without: Collection[str] = ()) -> dict[str, Any]:
    """Return a section's settings for a key.

    Args:
        section: the settings.
        without: names of those that are in no key.
    """
    kind = type(section)
    unset = {
        name
        for name in LATER.get(kind.__name__, ())
        if getattr(section, name) == kind.model_fields[name].default
    }
    return section.model_dump(mode="json", exclude={*without, *unset})
