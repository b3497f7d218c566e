"""Collect every import path in the settings, which are the places that name code to run.

A setting whose text may be `module:name` has the type `ImportPath` (`tasks.config`). The
settings are walked, so that a new one, also in a list or a mapping, counts by its type.
"""

import typing
from collections.abc import Iterator
from typing import Any

from foldproof.tasks.config.named.keras_parts import Named
from foldproof.tasks.config.study import Study
from foldproof.tasks.config.types import Importable, Section


def import_paths(study: Study) -> dict[str, str]:
    """Return each `module:name` among the settings, by the dotted name of its setting."""
    return dict(_of_section(study, ""))


def import_paths_in(section: Section, name: str) -> dict[str, str]:
    """Return each `module:name` in a section, by the dotted name of its setting."""
    return dict(_of_section(section, f"{name}."))


def _of_section(section: Section, prefix: str) -> Iterator[tuple[str, str]]:
    for name, hint in typing.get_type_hints(type(section), include_extras=True).items():
        if name in type(section).model_fields:
            yield from _of_value(getattr(section, name), is_importable(hint), f"{prefix}{name}")


def _of_value(value: Any, importable: bool, setting: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Named):
        yield from _of_value(value.name, True, setting)
    elif isinstance(value, Section):
        yield from _of_section(value, f"{setting}.")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _of_value(item, importable, f"{setting}.{name}")
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from _of_value(item, importable, f"{setting}[{position}]")
    elif importable and isinstance(value, str) and ":" in value:
        yield setting, value


def is_importable(hint: Any) -> bool:
    """Return whether a type, or a part of it, is marked as one of import paths."""
    if isinstance(hint, type) and issubclass(hint, Section):
        return any(map(is_importable, typing.get_type_hints(hint, include_extras=True).values()))
    marks = (*getattr(hint, "__metadata__", ()), *typing.get_args(hint))
    return any(isinstance(mark, Importable) or is_importable(mark) for mark in marks)
