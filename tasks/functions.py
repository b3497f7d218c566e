"""Builders given as Python objects: named, kept, sent by value, and identified by content.

A function of an importable module is named `module:function` like any other. One that
lives in a script, a notebook cell or another function cannot be imported by a worker: it
is kept here under a name with its digest, and travels by value.
"""

import builtins
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tasks.digest import digest_array, digest_json, digest_text
from tasks.errors import InputError

_kept: dict[str, Callable[..., Any]] = {}


def name_function(builder: Callable[..., Any]) -> str:
    """Return the setting that stands for a function, keeping it if no module holds it."""
    module, name = getattr(builder, "__module__", None), getattr(builder, "__qualname__", None)
    if module is None or name is None:
        raise InputError("builder", f"{builder!r} has no name; wrap it in a function")
    if not _by_value(builder):
        return f"{module}:{name}"
    key = f"{module}:{name}@{digest_json(identify(builder))[:8]}"
    _kept[key] = builder
    return key


def is_kept(name: str) -> bool:
    """Tell whether a builder setting stands for a function object."""
    return "@" in name


def kept_function(name: str) -> Callable[..., Any]:
    """Return the function object that a builder setting stands for.

    Raises:
        InputError: another process made it.
    """
    if name not in _kept:
        raise InputError(
            "model.builder", f"{name} was a function of another process; put it in a module"
        )
    return _kept[name]


def dump_function(name: str) -> bytes:
    """Serialise a kept function by value, with what it uses from its own module."""
    import cloudpickle

    return bytes(cloudpickle.dumps(kept_function(name)))


def identify(value: Any) -> Any:
    """Describe a function, class or value by content, as plain JSON.

    Functions and classes count with their source and with all that they read from their
    own module or closure; what other modules define counts by name.
    """
    return _describe(value, {})


def modules_of(name: str) -> set[str]:
    """Return the names of the modules that a kept function reads, directly or through others."""
    seen: dict[int, Any] = {}
    _describe(kept_function(name), seen)
    return {entry["module"] for entry in seen.values() if "module" in entry}


def _by_value(value: Any) -> bool:
    module = sys.modules.get(getattr(value, "__module__", "") or "")
    if module is None or module.__name__ == "__main__":
        return True
    found: Any = module
    for part in value.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is not value


def _describe(value: Any, seen: dict[int, Any]) -> Any:
    if id(value) in seen:
        return {"again": seen[id(value)].get("name", "")}
    if isinstance(value, types.ModuleType):
        return _remember(value, {"module": value.__name__}, seen)
    if isinstance(value, types.FunctionType | type):
        if not _by_value(value):
            entry = {"module": value.__module__, "name": value.__qualname__}
            return _remember(value, entry, seen)
        return _describe_code(value, seen)
    return _describe_data(value, seen)


def _remember(value: Any, entry: dict[str, Any], seen: dict[int, Any]) -> dict[str, Any]:
    seen[id(value)] = entry
    return entry


def _describe_code(value: Any, seen: dict[int, Any]) -> dict[str, Any]:
    entry = _remember(value, {"name": value.__qualname__, "source": _source(value)}, seen)
    functions = [value] if isinstance(value, types.FunctionType) else _methods(value)
    bases = [] if isinstance(value, types.FunctionType) else value.__bases__
    entry["bases"] = [_describe(base, seen) for base in bases]
    entry["reads"] = {
        name: _describe(read, seen) for function in functions for name, read in _reads(function)
    }
    entry["defaults"] = [
        _describe(default, seen)
        for function in functions
        for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    ]
    return entry


def _methods(cls: type) -> list[types.FunctionType]:
    members = (getattr(member, "__func__", member) for member in vars(cls).values())
    return [member for member in members if isinstance(member, types.FunctionType)]


def _reads(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the globals and closure variables that a function's code names, sorted."""
    names = sorted(set(_names(function.__code__)))
    for name in names:
        if name in function.__globals__ and not hasattr(builtins, name):
            yield name, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # a variable that is not assigned yet, such as __class__
            continue


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _source(value: Any) -> str:
    try:
        return digest_text(inspect.getsource(value))
    except (OSError, TypeError):  # typed into an interpreter: the byte code is all there is
        code = getattr(value, "__code__", None)
        return digest_json(_bytecode(code) if code else value.__qualname__)


def _bytecode(code: types.CodeType) -> list[Any]:
    constants = [
        _bytecode(item) if isinstance(item, types.CodeType) else repr(item)
        for item in code.co_consts
    ]
    return [code.co_code.hex(), list(code.co_names), list(code.co_varnames), constants]


def _describe_data(value: Any, seen: dict[int, Any]) -> Any:
    if isinstance(value, np.ndarray) and value.dtype != object:
        return {"array": digest_array(value)}
    if isinstance(value, dict):
        return {"dict": sorted((repr(k), _describe(v, seen)) for k, v in value.items())}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_describe(item, seen) for item in value]}
    if value is None or isinstance(value, bool | int | float | str | bytes | complex):
        return {type(value).__name__: repr(value)}
    import cloudpickle

    try:
        return {"object": digest_text(cloudpickle.dumps(value).hex())}
    except Exception:  # anything may refuse to be pickled; its type still counts
        return {"object": f"{type(value).__module__}.{type(value).__qualname__}"}
