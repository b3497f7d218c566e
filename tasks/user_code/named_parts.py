"""Make an object of a class that settings name, with parameters: a transformer, a sampler."""

import importlib
import inspect
from collections.abc import Sequence
from typing import Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import error_line, nearest


def make_named(
    setting: str, name: str, params: dict[str, Any], library: str, modules: Sequence[str]
) -> Any:
    """Return an object of a class.

    Args:
        setting: that names it, for messages.
        name: `module:Class`, or a class of a library.
        params: the arguments of the class.
        library: where a name without a module is looked for.
        modules: of that library, by the part of their names that follows its own.

    Raises:
        InputError: there is no such class, or it takes other arguments.
    """
    is_path = ":" in name
    kind = import_named(setting, name) if is_path else _of(setting, name, library, modules)
    try:
        return kind(**params)
    except (Exception, SystemExit) as error:  # the user's own class: anything can come out
        hint = _wrong_argument(kind, params) or error_line(error)
        raise InputError(setting, f"{name} cannot be made ({hint})") from None


def import_named(setting: str, reference: str) -> Any:
    """Return what `module:name` names.

    Raises:
        InputError: there is none, with the nearest one.
    """
    module, _, name = reference.partition(":")
    try:
        found: Any = importlib.import_module(module)
    except (Exception, SystemExit) as error:  # importing runs the user's code
        raise InputError(setting, f"cannot import {module!r} ({error_line(error)})") from error
    for part in name.split("."):
        if not hasattr(found, part):
            hint = nearest(part, [each for each in dir(found) if each[0] != "_"]).strip()
            raise InputError(setting, f"module {module!r} has no {part!r}; {hint}")
        found = getattr(found, part)
    return found


def _of(setting: str, name: str, library: str, modules: Sequence[str]) -> Any:
    """Return a class of a library by its name alone.

    Raises:
        InputError: it has none of that name, or is not installed.
    """
    known: list[str] = []
    for module in modules:
        found = importlib.import_module(f"{library}.{module}")
        if isinstance(made := getattr(found, name, None), type):
            return made
        known += [each for each in dir(found) if isinstance(getattr(found, each), type)]
    raise InputError(setting, f"{library} has no {name!r}; {nearest(name, known).strip()}")


def _wrong_argument(kind: Any, params: dict[str, Any]) -> str:
    """Return which argument a class does not take, and the nearest one, or nothing."""
    try:
        known = list(inspect.signature(kind).parameters)
    except (TypeError, ValueError):  # such as a class of C's
        return ""
    wrong = [name for name in params if name not in known]
    return f"{wrong[0]!r}: {nearest(wrong[0], known).strip()}" if wrong else ""
