"""What a builder given as an object is made of: a description by content, as plain JSON.

Functions and classes that a worker cannot import count with their source and with all that they
read; what a module holds counts by its name.
"""

import dis
import functools
import inspect
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import resolve_name
from typing import Any

import numpy as np

from foldproof.tasks.common.digest import canonical_json, digest_array, digest_json, digest_text
from foldproof.tasks.common.errors import InputError

# What was described already, by id; it is held, so that no other object gets its id.
Seen = dict[int, tuple[Any, dict[str, Any]]]


class _Unknown(Exception):
    """An object has nothing by which it could be told from another of its type."""


def identify(value: Any) -> Any:
    """Describe a function, class or value by content, as plain JSON.

    Functions and classes count with their source and with all that they read from their
    own module or closure; what other modules define counts by name.

    Raises:
        InputError: something that it uses, such as a lock, cannot be told from another one.
    """
    with _naming("it", "itself"):
        return _describe(value, {})


def modules_in(function: Any) -> set[str]:
    """Return what a function takes from modules, directly or through others.

    Returns:
        Modules that it reads, and `module.name` of each import statement in its code.
    """
    seen: Seen = {}
    _describe(function, seen)
    entries = [entry for _, entry in seen.values()]
    read = {entry["module"] for entry in entries if "module" in entry}
    return read.union(*(entry.get("imports", ()) for entry in entries))


def by_value(value: Any) -> bool:
    """Tell whether a worker cannot import a function or class, so that it travels whole."""
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
        if not by_value(value):
            entry = {"module": value.__module__, "name": value.__qualname__}
            return _remember(value, entry, seen)
        return _describe_code(value, seen)
    return _describe_data(value, seen)


def _remember(value: Any, entry: dict[str, Any], seen: Seen) -> dict[str, Any]:
    seen[id(value)] = value, entry
    return entry


@contextmanager
def _naming(user: str, variable: str) -> Iterator[None]:
    """Say which variable holds what cannot be identified, and who reads it."""
    try:
        yield
    except _Unknown as error:
        problem = f"{user} uses {variable!r}, which holds a {error}: that can neither be sent to"
        remedy = f"a worker nor told from another one; make it inside of {user}"
        raise InputError("builder", f"{problem} {remedy}") from None


def _describe_read(user: str, name: str, value: Any, seen: Seen) -> Any:
    with _naming(user, name):
        return _describe(value, seen)


def _describe_code(value: Any, seen: Seen) -> dict[str, Any]:
    entry = _remember(value, {"name": value.__qualname__, "source": _source(value)}, seen)
    functions = [value] if isinstance(value, types.FunctionType) else _methods(value)
    bases = [] if isinstance(value, types.FunctionType) else value.__bases__
    entry["imports"] = sorted({name for f in functions for name in _imports(f)})
    entry["bases"] = [_describe(base, seen) for base in bases]
    entry["reads"] = [
        [function.__name__, name, _describe_read(function.__name__, name, read, seen)]
        for function in functions
        for name, read in _reads(function)
    ]
    entry["defaults"] = [
        _describe_read(function.__name__, "a default", default, seen)
        for function in functions
        for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    ]
    entry["attributes"] = {
        name: _describe_read(value.__name__, name, item, seen) for name, item in _attributes(value)
    }
    return entry


def _methods(cls: type) -> list[types.FunctionType]:
    """Return the functions behind a class's methods and properties."""
    wrapped = ("__func__", "fget", "fset", "func")
    members = [
        inner
        for member in vars(cls).values()
        for inner in (member, *(getattr(member, name, None) for name in wrapped))
    ]
    return [member for member in members if isinstance(member, types.FunctionType)]


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a function or class holds besides code, whose values no source shows."""
    for name, item in sorted(vars(value).items()):
        is_code = isinstance(item, types.FunctionType) or hasattr(type(item), "__get__")
        if not (name.startswith("__") or name == "_abc_impl" or is_code):
            yield name, item


def _imports(function: types.FunctionType) -> Iterator[str]:
    """Yield the modules and names that import statements in a function's code name."""
    package = function.__globals__.get("__package__") or ""
    for code in _codes(function.__code__):
        base, before = "", list[dis.Instruction]()
        for step in dis.get_instructions(code):
            if step.opname == "IMPORT_NAME":
                level = before[0].argval if before and isinstance(before[0].argval, int) else 0
                base = resolve_name("." * level + step.argval, package) if level else step.argval
                yield base
            elif step.opname == "IMPORT_FROM":
                yield f"{base}.{step.argval}"
            before = [*before[-1:], step]


def _reads(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the globals and closure variables that a function's code names, sorted."""
    names = {
        step.argval
        for code in _codes(function.__code__)
        for step in dis.get_instructions(code)
        if "GLOBAL" in step.opname or step.opname == "LOAD_NAME"  # attributes have names, too
    }
    for name in sorted(names):
        if name in function.__globals__:
            yield name, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # a variable that is not assigned yet, such as __class__
            continue


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _source(value: Any) -> str:
    """Return the digest of a function's or class's own text, not of what a decorator wraps."""
    code: types.CodeType | None = getattr(value, "__code__", None)
    try:
        text = inspect.getsource(code or value)
    except (OSError, TypeError):  # typed into an interpreter: the byte code is all there is
        codes = [method.__code__ for method in _methods(value)] if code is None else [code]
        return digest_json([value.__qualname__, *map(_bytecode, codes)])
    if code is None or code.co_name != "<lambda>":
        return digest_text(text)
    return digest_json([text, _bytecode(code)])  # a line may hold several


def _bytecode(code: types.CodeType) -> list[Any]:
    constants = [_constant(item) for item in code.co_consts]
    return [code.co_code.hex(), list(code.co_names), list(code.co_varnames), constants]


def _constant(item: Any) -> Any:
    if isinstance(item, types.CodeType):
        return _bytecode(item)
    if isinstance(item, frozenset):  # its order changes from process to process
        return sorted(map(repr, item))
    return repr(item)


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
    by_parts = isinstance(value, functools.partial | types.MethodType) or by_value(type(value))
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
