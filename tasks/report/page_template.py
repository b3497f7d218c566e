"""Pages are filled templates: whatever is put into one is shown as text, never as markup."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from foldproof.tasks.common.inputs import shown_shapes
from foldproof.tasks.common.text import number
from foldproof.tasks.data.target_facts import (
    WARNING,
    TargetFacts,
    classes_line,
    named_positive,
    positive_line,
)

if TYPE_CHECKING:
    from jinja2 import Environment

SHARED = "foldproof.tasks.report"  # its templates serve the pages of other packages, too


@dataclass(frozen=True)
class Labels:
    """What every page begins with: the positive label, and all labels with their counts.

    Attributes:
        positive: the positive label of a binary task with its count; else empty.
        positive_line: the same, with how to choose the other one.
        is_doubtful: the line warns that the label may be the wrong one.
        classes: the line of all labels, or of a regression's number and range.
    """

    positive: str
    positive_line: str
    is_doubtful: bool
    classes: str


def fill_template(package: str, name: str, key: Mapping[str, Any] | None, **values: Any) -> str:
    """Return a page that depends on nothing but what is given, so that its bytes do not either.

    Args:
        package: whose folder `templates` holds the template.
        name: of the template, which extends `base.html.j2`.
        key: all that a run follows from; None for a page of several runs.
        **values: what the template shows; one that it names and does not get is
            an error. `origin` replaces the table of what the numbers follow from.
    """
    of_run = {"labels": _labels(key), "origin": _origin(key)} if key is not None else {}
    shown = {"labels": None, "origin": {}, **of_run, **values}
    return _environment(package).get_template(name).render(shown)


@lru_cache
def _environment(package: str) -> "Environment":
    import jinja2  # here: commands that write no page start faster without it

    folders = [jinja2.PackageLoader(name) for name in dict.fromkeys((package, SHARED))]
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = number
    return environment


def _labels(key: Mapping[str, Any]) -> Labels | None:
    facts = TargetFacts.of_key(key)
    if facts is None:
        return None
    line = positive_line(facts)
    return Labels(named_positive(facts), line, line.startswith(WARNING), classes_line(facts))


def _origin(key: Mapping[str, Any]) -> dict[str, str]:
    numerics = key["numerics"]
    return {
        "data": f"sha256 {key['data']['sha256']}",
        "folds": f"sha256 {key['split']['sha256']}",
        "foldproof": key["foldproof"],
        "libraries": ", ".join(f"{name} {of}" for name, of in numerics["libraries"].items()),
        "device": f"{numerics['device']}, {numerics['threads']} thread(s) a fold",
    }


def describe(key: Mapping[str, Any]) -> str:
    """Say in a line what data, folds and seed a run has."""
    data, split = key["data"], key["split"]
    shape = shown_shapes(data["feature_shape"])
    rows = f"{data['rows']} rows, {shape} features, {data['settings']['task']}"
    return f"{rows}; {split['folds']} folds by {split['method']}; seed {key['seed']}"
