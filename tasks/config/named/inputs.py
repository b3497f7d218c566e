"""The inputs of a model by name, each a column or a list of columns, and what is fitted to each."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Tag

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest
from foldproof.tasks.config.named.preprocess import PART_FIELDS, Preprocess
from foldproof.tasks.config.types import Column, Text, listed

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # names a layer of Keras's, and a folder
STEP_FIELDS = PART_FIELDS | {"name", "params"}


def _sorted(value: Any) -> Any:
    """Put inputs in the order of their names: however they are written, they are the same."""
    is_named = isinstance(value, Mapping) and all(isinstance(name, str) for name in value)
    return dict(sorted(value.items())) if is_named else value


Inputs = Annotated[
    dict[Text, Annotated[list[Column], BeforeValidator(listed)]], BeforeValidator(_sorted)
]


def _kind(value: Any) -> str:
    return "each" if isinstance(value, dict) else "all"


# One for all inputs, or one for each; a step given as a mapping is in a list by then.
Preprocessing = Annotated[
    Annotated[Preprocess, Tag("all")] | Annotated[dict[str, Preprocess], Tag("each")],
    Discriminator(_kind),
]


def check_inputs(inputs: dict[str, list[str]]) -> None:
    """Refuse inputs without a name or a column, and a column that one has twice.

    Raises:
        InputError: with the input.
    """
    if not inputs:
        problem = "names no input; give some, as {name: [columns]}, or leave it out"
        raise InputError("inputs", problem)
    for name, columns in inputs.items():
        if not NAME.fullmatch(name):
            problem = f"{name!r} is no name of an input; use letters, digits and _"
            raise InputError("inputs", problem)
        if not columns:
            raise InputError(f"inputs.{name}", "names no column; give some, or leave it out")
        for column in columns:
            if columns.count(column) > 1:
                problem = f"column {column!r} stands there twice; name it once"
                raise InputError(f"inputs.{name}", problem)
    folded = [name.casefold() for name in inputs]
    for name in inputs:
        if folded.count(name.casefold()) > 1:
            raise InputError("inputs", f"{name!r} has another's name in another case; rename one")


def by_input(value: Any, inputs: Mapping[str, Any] | None) -> Any:
    """Take a mapping of inputs to what is fitted to each, and any other mapping for one step.

    Raises:
        InputError: there is no such input.
    """
    if not isinstance(value, Mapping):
        return value
    is_step = bool(value.keys() & STEP_FIELDS) or all(
        isinstance(each, Mapping | None) for each in value.values()
    )
    names = inputs or {}
    if not value.keys() & names.keys() and (is_step or not names):
        return [dict(value)]
    for name in value:
        if name not in names:
            problem = f"no input {name!r}; {nearest(str(name), list(names)).strip()}"
            raise InputError("preprocess", problem)
    return {name: value[name] for name in names if name in value}


def of_each(preprocess: Any) -> dict[str, Any]:
    """Return what is said of each input by its name; what is said of all has none."""
    return preprocess if isinstance(preprocess, dict) else {"": preprocess}


def preprocess_of(preprocess: Any, name: str) -> Any:
    """Return what is fitted to an input, which is auto where others are named only."""
    return preprocess.get(name, "auto") if isinstance(preprocess, dict) else preprocess


def setting_of(name: str) -> str:
    """Return the setting that says what is fitted to an input; without a name, to all."""
    return f"data.preprocess.{name}" if name else "data.preprocess"


def completed(preprocess: Any, names: Iterable[str]) -> Any:
    """Return what is fitted to every input, also where the settings name some of them only."""
    if not isinstance(preprocess, dict):
        return preprocess
    return {name: preprocess_of(preprocess, name) for name in names}
