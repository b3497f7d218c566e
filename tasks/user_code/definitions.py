"""Check statically that a module defines a name itself, and does not just import it.

Where some modules are allowed and others are not, `from subprocess import run` in an allowed
one must not make `module:run` a way around. Sources are read, not run, but for scikit-learn.
"""

import ast
import importlib
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.user_code.modules import find_module, imported_from, package_of, parse_module
from foldproof.tasks.user_code.references import located
from foldproof.tasks.user_code.search_path import import_folders

MAX_IMPORT_STEPS = 10  # to follow a name through re-exports
PRIVATE_PARTS = {"conftest", "externals", "tests"}  # of scikit-learn
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

Allows = Callable[[str], bool]


def refuse_foreign(setting: str, module: str, name: str, allows: Allows) -> None:
    """Refuse a name that an allowed module does not define itself.

    Args:
        setting: the setting that names it, for messages.
        module: an allowed module.
        name: what is to be taken from it.
        allows: tells whether a module is allowed.

    Raises:
        InputError: it comes from elsewhere, or that cannot be told.
    """
    if "." in name:
        problem = f"{name!r} has a dot; name a function or class of {module} itself"
        raise InputError(setting, problem)
    if module.split(".")[0] == "sklearn":
        _refuse_all_but_estimators(setting, module, name)
    elif not _is_defined(setting, module, name, allows, MAX_IMPORT_STEPS):
        problem = f"{name!r} is not defined in {module}; name the allowed module that defines it"
        raise InputError(setting, problem)


def _refuse_all_but_estimators(setting: str, module: str, name: str) -> None:
    """Allow only estimators and splitters of scikit-learn: other functions there access files."""
    parts = module.split(".")
    private = any(part.startswith("_") or part in PRIVATE_PARTS for part in (*parts, name))
    found = None if private else _imported(module, name)
    is_own = isinstance(found, type) and found.__module__.split(".")[0] == "sklearn"
    if not is_own or not _is_estimator(found, setting == "split.method"):
        raise InputError(setting, f"{module}:{name} is no estimator of scikit-learn; name one")


def _imported(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name, None)
    except Exception:  # no such module, or one that is not meant to be imported
        return None


def _is_estimator(found: Any, for_a_split: bool) -> bool:
    from sklearn.base import BaseEstimator

    is_splitter = hasattr(found, "split") and hasattr(found, "get_n_splits")
    return issubclass(found, BaseEstimator) or (for_a_split and is_splitter)


def _is_defined(setting: str, module: str, name: str, allows: Allows, steps: int) -> bool:
    spec = find_module(located(module), list(import_folders()))
    if spec is None:
        raise InputError(
            setting, f"no module {module!r}; it is looked for from the working directory"
        )
    if spec.origin is None or not spec.origin.endswith(".py"):
        return False
    tree, _ = parse_module(setting, Path(spec.origin))
    for node in _top_level(tree):
        if name in _defined_by(node):
            root = _renamed(node)
            return root is None or bool(
                steps and root != name and _is_defined(setting, module, root, allows, steps - 1)
            )
        source = _source(node, name, module, spec)
        if source is not None:
            origin, original = source
            return bool(
                steps
                and allows(origin)
                and _is_defined(setting, origin, original, allows, steps - 1)
            )
    return False


def _top_level(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements that run when a module is imported, in ifs and trys as well."""
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, FUNCTIONS):
            yield from _top_level(node)


def _defined_by(node: ast.AST) -> set[str]:
    if isinstance(node, FUNCTIONS):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {target.id for target in targets if isinstance(target, ast.Name)}
    return set()


def _renamed(node: ast.AST) -> str | None:
    """Return the name that an assignment is an alias of: `os` for `run = os.system`."""
    value = getattr(node, "value", None)
    while isinstance(value, ast.Attribute):
        value = value.value
    return value.id if isinstance(value, ast.Name) else None


def _source(node: ast.AST, name: str, module: str, spec: ModuleSpec) -> tuple[str, str] | None:
    """Return the module and name that an import statement binds a name to."""
    if not isinstance(node, ast.ImportFrom):
        return None
    for alias in node.names:
        if (alias.asname or alias.name) == name:
            return imported_from(node, package_of(module, spec)), alias.name
    return None
