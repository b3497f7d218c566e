"""The builders that a form offers: built-in ones and those of allowed modules."""

import ast
import os
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

from foldproof.tasks.run.allowlist import BUILDERS
from foldproof.tasks.user_code.builder import OFFERED_ARGUMENTS

BUILT_IN = ("tasks.models:mlp", "tasks.models:cnn")
LIBRARIES = ("tasks", "foldproof", "sklearn")  # known by heart, or too large to be listed


def offered_builders() -> list[str]:
    """Return what a form lists: nothing of the user's is imported for it."""
    allowed = os.environ.get(BUILDERS, "").split(",")
    own = (name.strip() for name in allowed if name.strip().partition(".")[0] not in LIBRARIES)
    return [*BUILT_IN, *(found for module in own for found in builders_in(module))]


def builders_in(module: str) -> Iterator[str]:
    """Yield the functions of a module that look as if they built a model."""
    path = _source_of(module)
    if path is None:
        return
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and _may_build(function):
            yield f"{module}:{function.name}"


def _may_build(function: ast.FunctionDef) -> bool:
    """Return whether it is public, returns a value, and needs only arguments that are offered."""
    asked = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    needed = asked[: len(asked) - len(function.args.defaults)]
    returns = any(isinstance(n, ast.Return) and n.value is not None for n in ast.walk(function))
    is_handed = set(needed) <= set(OFFERED_ARGUMENTS) or bool(set(OFFERED_ARGUMENTS) & set(asked))
    return returns and is_handed and not function.name.startswith("_")


def _source_of(module: str) -> Path | None:
    """Return the file of a module that stands in this folder or on Python's path."""
    places: list[str] | None = [os.getcwd(), *sys.path]
    found = None
    for part in module.split("."):
        found = PathFinder.find_spec(part, places) if places else None
        if found is None:
            return None
        places = found.submodule_search_locations and list(found.submodule_search_locations)
    origin = found.origin if found else None
    return Path(origin) if origin and origin.endswith(".py") else None
