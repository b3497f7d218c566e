"""Import what settings name as module:name, and make objects of classes with parameters."""

import contextlib
import importlib
import inspect
import sys
from collections.abc import Sequence
from typing import Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import error_line, nearest
from foldproof.tasks.user_code.references import location_hint
from foldproof.tasks.user_code.search_path import start_folder


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
    """Import `module:name`, found from the working directory.

    Raises:
        InputError: with the reason why it cannot be imported.
    """
    module, _, name = reference.partition(":")
    folder = str(start_folder())  # now: a module that is imported may change directory
    sys.path.insert(0, folder)
    try:
        found = importlib.import_module(module)
    except (Exception, SystemExit) as error:  # importing runs the user's code: anything comes out
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        missing = isinstance(error, ModuleNotFoundError) and error.name == module.split(".")[0]
        remedy = location_hint(module) if missing else "it is looked for from the working directory"
        raise InputError(setting, f"cannot import {module!r} ({reason}); {remedy}") from None
    finally:
        with contextlib.suppress(ValueError):  # it may have changed the path, too
            sys.path.remove(folder)
    if not callable(getattr(found, name, None)):
        raise InputError(setting, f"module {module!r} has no class {name!r}; check the name")
    return getattr(found, name)


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
