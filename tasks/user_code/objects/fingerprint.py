"""The fingerprint of a builder given as an object: its content as plain JSON.

Functions and classes that a worker cannot import count with their source and with all that they
read; what a module holds counts by its name.
"""

import functools
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from foldproof.tasks.common.digest import canonical_json, digest_array, digest_text
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.user_code.objects.code_objects import (
    attributes_of,
    imports_in,
    methods_of,
    reads_of,
    source_digest,
)

# What was described already, by id; it is held, so that no other object gets its id.
Seen = dict[int, tuple[Any, dict[str, Any]]]


class _Unknown(Exception):
    """An object cannot be told apart from another one of its type."""


def identify(value: Any) -> Any:
    """Describe a function, class or value by content, as plain JSON.

    Functions and classes count with their source and with all that they read from their
    own module or closure; what other modules define counts by name.

    Raises:
        InputError: something that it uses, such as a lock, cannot be told from another one.
    """
    with _naming_variable("it", "itself"):
        return _describe(value, {})


def modules_in(function: Any) -> set[str]:
    """Return the modules that a function uses, directly or through other functions.

    Returns:
        Modules that it reads, and `module.name` of each import statement in its code.
    """
    seen: Seen = {}
    _describe(function, seen)
    entries = [entry for _, entry in seen.values()]
    read = {entry["module"] for entry in entries if "module" in entry}
    return read.union(*(entry.get("imports", ()) for entry in entries))


def is_sent_by_value(value: Any) -> bool:
    """Return whether a function or class is pickled by value, as workers cannot import it."""
    module = sys.modules.get(getattr(value, "__module__", "") or "")
    if module is None or module.__name__ == "__main__":
        return True
    found: Any = module
    for part in value.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is not value


def _describe(value: Any, seen: Seen) -> Any:
    if id(value) in seen:
        return {"again": list(seen).index(id(value))}
    if isinstance(value, types.ModuleType):
        return _remember(value, {"module": value.__name__}, seen)
    if isinstance(value, types.FunctionType | type):
        if not is_sent_by_value(value):
            entry = {"module": value.__module__, "name": value.__qualname__}
            return _remember(value, entry, seen)
        return _describe_code(value, seen)
    return _describe_data(value, seen)


def _remember(value: Any, entry: dict[str, Any], seen: Seen) -> dict[str, Any]:
    seen[id(value)] = value, entry
    return entry


@contextmanager
def _naming_variable(user: str, variable: str) -> Iterator[None]:
    """Wrap an error with the name of the variable that cannot be identified, and its reader."""
    try:
        yield
    except _Unknown as error:
        problem = f"{user} uses {variable!r}, which holds a {error}: that can neither be sent to"
        remedy = f"a worker nor told from another one; make it inside of {user}"
        raise InputError("builder", f"{problem} {remedy}") from None


def _describe_read(user: str, name: str, value: Any, seen: Seen) -> Any:
    with _naming_variable(user, name):
        return _describe(value, seen)


def _describe_code(value: Any, seen: Seen) -> dict[str, Any]:
    entry = _remember(value, {"name": value.__qualname__, "source": source_digest(value)}, seen)
    functions = [value] if isinstance(value, types.FunctionType) else methods_of(value)
    bases = [] if isinstance(value, types.FunctionType) else value.__bases__
    entry["imports"] = sorted({name for f in functions for name in imports_in(f)})
    entry["bases"] = [_describe(base, seen) for base in bases]
    entry["reads"] = [
        [function.__name__, name, _describe_read(function.__name__, name, read, seen)]
        for function in functions
        for name, read in reads_of(function)
    ]
    entry["defaults"] = [
        _describe_read(function.__name__, "a default", default, seen)
        for function in functions
        for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    ]
    entry["attributes"] = {
        name: _describe_read(value.__name__, name, item, seen)
        for name, item in attributes_of(value)
    }
    return entry


def _describe_data(value: Any, seen: Seen) -> Any:
    if isinstance(value, np.ndarray) and value.dtype != object:
        return {"array": digest_array(value)}
    if isinstance(value, dict):
        return {"dict": sorted((repr(k), _describe(v, seen)) for k, v in value.items())}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_describe(item, seen) for item in value]}
    if isinstance(value, set | frozenset):
        return {"set": sorted(canonical_json(_describe(item, seen)) for item in value)}
    if value is None or isinstance(value, bool | int | float | str | bytes | complex):
        return {type(value).__name__: repr(value)}
    return _describe_object(value, seen)


def _describe_object(value: Any, seen: Seen) -> dict[str, Any]:
    entry = _remember(value, {}, seen)
    entry["type"] = _describe(type(value), seen)
    by_parts = isinstance(value, functools.partial | types.MethodType) or is_sent_by_value(
        type(value)
    )
    # Pickled by value, code would count with its file's name and with random numbers.
    parts = _reduced(value) if by_parts else None
    if parts is None:
        entry["object"] = _pickled(value)
    else:
        entry["state"] = [_describe(part, seen) for part in parts]
    return entry


def _reduced(value: Any) -> list[Any] | None:
    """Return what an object is rebuilt from, but for its class; None if it does not tell."""
    try:
        _, *parts = value.__reduce_ex__(2)
    except Exception:  # anything may refuse
        return None
    return [list(part) if isinstance(part, Iterator) else part for part in parts]


def _pickled(value: Any) -> str:
    import cloudpickle

    try:
        return digest_text(cloudpickle.dumps(value).hex())
    except Exception:  # anything may refuse
        kind = type(value)
        raise _Unknown(f"{kind.__module__}.{kind.__qualname__}") from None
