"""What a builder's result depends on: its source, and that of all its modules import.

Read from the files' syntax trees, so that nothing is imported or run, TensorFlow least of
all, and the answer does not depend on what this process imported before. Modules of
installed distributions count by version.
"""

import ast
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tasks.digest import digest_text
from tasks.errors import InputError

OURS = ("tasks", "flows", "deployments")
ROOT = Path(__file__).resolve().parent.parent
INSTALLED = {"site-packages", "dist-packages"}
DISTRIBUTIONS = {"sklearn": "scikit-learn"}  # spares the slow look-up of the usual case


@dataclass
class Provenance:
    """The modules behind a builder.

    Attributes:
        sources: SHA-256 of each module's source, outside installed distributions.
        distributions: version of each installed distribution that those import.
        notices: what the user should be told.
    """

    sources: dict[str, str] = field(default_factory=dict)
    distributions: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    def described(self) -> dict[str, Any]:
        """Return what belongs in a key."""
        return {"sources": self.sources, "distributions": self.distributions}


def trace_module(setting: str, name: str, search: list[str], into: Provenance) -> None:
    """Add a module and all that it imports.

    Args:
        setting: the setting that names it, for messages.
        name: the module's dotted name.
        search: the folders to look in before this process's own path.
        into: what is known so far.

    Raises:
        InputError: there is no such module, or a name of ours hides the user's.
    """
    found = _find(name, search)
    if name.split(".")[0] in OURS:
        found = _ours(setting, name, search, into)
    if found is None:
        raise InputError(
            setting, f"no module {name!r}; it is looked for from the working directory"
        )
    _follow(setting, name, found, search, into)


def _follow(setting: str, name: str, spec: ModuleSpec, search: list[str], into: Provenance) -> None:
    top = name.split(".")[0]
    if _is_installed(spec) and top not in OURS:
        _add_distribution(top, into)
        return
    if name in into.sources or spec.origin is None or not spec.origin.endswith(".py"):
        return
    source = Path(spec.origin).read_text(encoding="utf-8")
    into.sources[name] = digest_text(source)
    if top in OURS:
        return  # the rest of ours counts by foldproof's version
    for imported in _imports(setting, name, spec, source):
        _follow_import(setting, imported, search, into)


def _follow_import(setting: str, name: str, search: list[str], into: Provenance) -> None:
    """Follow one imported name through every package on its way."""
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        prefix = ".".join(parts[:depth])
        if prefix.split(".")[0] in OURS and _shadowed(prefix.split(".")[0], search):
            _ours(setting, prefix, search, into)
        spec = _find(prefix, search)
        if spec is None:  # an attribute of the last module, or something optional
            return
        _follow(setting, prefix, spec, search, into)


def _imports(setting: str, name: str, spec: ModuleSpec, source: str) -> Iterator[str]:
    package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        where = f"line {error.lineno} of {Path(str(spec.origin)).name}"
        raise InputError(setting, f"{where} is not Python: {error.msg}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            yield from (f"{base}.{alias.name}".strip(".") for alias in node.names)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    kept = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*kept, node.module] if node.module else kept)


def _find(name: str, search: list[str]) -> ModuleSpec | None:
    """Find a module without importing the packages above it."""
    top, *rest = name.split(".")
    spec = None if top in OURS else PathFinder.find_spec(top, search)
    if top in OURS:
        spec = PathFinder.find_spec(top, [str(ROOT)])
    if spec is None:
        try:
            spec = find_spec(top)
        except (ImportError, ValueError):
            return None
    for part in rest:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{spec.name}.{part}"
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    return spec


def _ours(setting: str, name: str, search: list[str], into: Provenance) -> ModuleSpec | None:
    """Resolve a name of ours; say so where the user has a module of that name."""
    found = _find(name, search)
    theirs = _shadowed(name.split(".")[0], search)
    if theirs and found is None:
        top = name.split(".")[0]
        problem = f"{name} is not in foldproof's own package {top!r}, which hides your {theirs}"
        raise InputError(setting, problem + "; rename yours")
    if theirs:
        notice = f"{name} is foldproof's own; your {theirs} is not used"
        into.notices += [] if notice in into.notices else [notice]
    return found


def _shadowed(top: str, search: list[str]) -> str | None:
    """Return the user's file or folder that has a name of ours, if there is one."""
    for folder in map(Path, search):
        for path in (folder / f"{top}.py", folder / top):
            if path.exists() and not path.resolve().is_relative_to(ROOT):
                return path.name
    return None


def _is_installed(spec: ModuleSpec) -> bool:
    if spec.name.split(".")[0] in sys.stdlib_module_names or spec.origin in ("built-in", "frozen"):
        return True
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or [])
    stdlib = sysconfig.get_path("stdlib")
    return any(
        INSTALLED & set(Path(place).parts) or Path(place).is_relative_to(stdlib) for place in places
    )


def _add_distribution(top: str, into: Provenance) -> None:
    if top in sys.stdlib_module_names:
        return
    names = [DISTRIBUTIONS.get(top, top)]
    try:
        metadata.version(names[0])
    except metadata.PackageNotFoundError:
        names = sorted(set(metadata.packages_distributions().get(top, [])))
    into.distributions.update({name: metadata.version(name) for name in names})
