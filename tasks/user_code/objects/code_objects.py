"""What the code of a function or class names: what it reads, imports and holds, and its text."""

import dis
import inspect
import types
from collections.abc import Iterator
from importlib.util import resolve_name
from typing import Any

from foldproof.tasks.common.digest import digest_json, digest_text


def methods_of(cls: type) -> list[types.FunctionType]:
    """Return the functions behind a class's methods and properties."""
    wrapped = ("__func__", "fget", "fset", "func")
    members = [
        inner
        for member in vars(cls).values()
        for inner in (member, *(getattr(member, name, None) for name in wrapped))
    ]
    return [member for member in members if isinstance(member, types.FunctionType)]


def attributes_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a function or class holds besides code, whose values no source shows."""
    for name, item in sorted(vars(value).items()):
        is_code = isinstance(item, types.FunctionType) or hasattr(type(item), "__get__")
        if not (name.startswith("__") or name == "_abc_impl" or is_code):
            yield name, item


def imports_in(function: types.FunctionType) -> Iterator[str]:
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


def reads_of(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
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


def source_digest(value: Any) -> str:
    """Return the digest of a function's or class's own text, not of what a decorator wraps."""
    code: types.CodeType | None = getattr(value, "__code__", None)
    try:
        text = inspect.getsource(code or value)
    except (OSError, TypeError):  # typed into an interpreter: the byte code is all there is
        codes = [method.__code__ for method in methods_of(value)] if code is None else [code]
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
