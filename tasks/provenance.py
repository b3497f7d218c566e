"""What a builder's result depends on: its source, and that of all its modules import.

Read from the files' syntax trees, so that nothing is imported or run, TensorFlow least of
all, and the answer does not depend on what this process imported before. Modules of
installed distributions count by version.
"""

import ast
import importlib
import sysconfig
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import decode_source, find_spec
from pathlib import Path
from typing import Any

from tasks.digest import digest_file, digest_text
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
    found = find_module(name, search)
    if name.split(".")[0] in OURS:
        found = _ours(setting, name, search, into)
    if found is None:
        raise InputError(
            setting, f"no module {name!r}; it is looked for from the working directory"
        )
    if name.split(".")[0] in OURS:
        _follow(setting, name, found, search, into)
    else:
        trace_import(setting, name, search, into)


def trace_import(setting: str, name: str, search: list[str], into: Provenance) -> None:
    """Add what an import statement names, and every package on its way.

    Args:
        setting: the setting that leads there, for messages.
        name: `package.module`, or `package.module.attribute`; nothing is added where there
            is no such module, since an import may be an optional one.
        search: as for `trace_module`.
        into: what is known so far.
    """
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        prefix = ".".join(parts[:depth])
        if prefix.split(".")[0] in OURS and _shadowed(prefix.split(".")[0], search):
            _ours(setting, prefix, search, into)
        spec = find_module(prefix, search)
        if spec is None:  # an attribute of the last module, or something optional
            return
        _follow(setting, prefix, spec, search, into)


def _follow(setting: str, name: str, spec: ModuleSpec, search: list[str], into: Provenance) -> None:
    top = name.split(".")[0]
    if top not in OURS and _is_installed(spec) and _counts_by_version(top, spec, into):
        return
    if name in into.sources or not spec.has_location or spec.origin is None:
        return
    if not spec.origin.endswith(".py"):  # an extension module of the user's own
        into.sources[name] = digest_file(Path(spec.origin))
        return
    tree, source = parse_module(setting, Path(spec.origin))
    into.sources[name] = digest_text(source)
    if top in OURS:
        return  # the rest of ours counts by foldproof's version
    for imported in _imports(name, spec, tree):
        trace_import(setting, imported, search, into)


def parse_module(setting: str, path: Path) -> tuple[ast.Module, str]:
    """Read a source file in the encoding that it declares: its syntax tree, its text.

    Raises:
        InputError: it is not Python.
    """
    try:
        source = decode_source(path.read_bytes())
        with warnings.catch_warnings(action="ignore"):  # they are for when it runs
            return ast.parse(source), source
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"line {line} of {path.name}" if line else path.name
        problem = getattr(error, "msg", None) or str(error)
        raise InputError(setting, f"{where} is not Python: {problem}") from None


def _imports(name: str, spec: ModuleSpec, tree: ast.Module) -> Iterator[str]:
    package = package_of(name, spec)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = imported_from(node, package)
            yield from (f"{base}.{alias.name}".strip(".") for alias in node.names)


def package_of(name: str, spec: ModuleSpec) -> str:
    """Return the package that relative imports in a module start from."""
    return name if spec.submodule_search_locations is not None else name.rpartition(".")[0]


def imported_from(node: ast.ImportFrom, package: str) -> str:
    """Return the absolute name of the module that an import statement in a package takes from."""
    if not node.level:
        return node.module or ""
    kept = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*kept, node.module] if node.module else kept)


def find_module(name: str, search: list[str]) -> ModuleSpec | None:
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
        # The last part alone: of a dotted name the finder would look up the imported parent.
        spec = PathFinder.find_spec(part, list(spec.submodule_search_locations))
    return spec


def _ours(setting: str, name: str, search: list[str], into: Provenance) -> ModuleSpec | None:
    """Resolve a name of ours; say so where the user has a module of that name."""
    found = find_module(name, search)
    theirs = _shadowed(name.split(".")[0], search)
    if theirs and found is None:
        top = name.split(".")[0]
        problem = f"{name} is not in foldproof's own package {top!r}, which hides your {theirs}"
        raise InputError(setting, problem + "; rename yours")
    if theirs:
        notice = f"{name} is foldproof's own; your {theirs} is not used"
        into.notices += [] if notice in into.notices else [notice]
    return found


def refuse_hidden(builder: str, search: list[str]) -> None:
    """Refuse a builder that the user has, but that a module of ours hides.

    Raises:
        InputError: with the name to change.
    """
    module, _, function = builder.partition(":")
    top = module.split(".")[0]
    theirs = _shadowed(top, search) if top in OURS else None
    ours = find_module(module, search) if theirs else None
    if theirs and ours and not hasattr(importlib.import_module(module), function):
        problem = f"{builder} is not in foldproof's own package {top!r}, which hides your {theirs}"
        raise InputError("model.builder", problem + "; rename yours")


def _shadowed(top: str, search: list[str]) -> str | None:
    """Return the user's file or folder that has a name of ours, if there is one."""
    for folder in map(Path, search):
        for path in (folder / f"{top}.py", folder / top):
            if path.exists() and not path.resolve().is_relative_to(ROOT):
                return path.name
    return None


def _is_installed(spec: ModuleSpec) -> bool:
    return _is_standard(spec) or any(INSTALLED & set(place.parts) for place in _places(spec))


def _is_standard(spec: ModuleSpec) -> bool:
    """Tell whether a module is Python's own; one of the user's may have the same name."""
    if spec.origin in ("built-in", "frozen"):
        return True
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib")}
    return any(
        place.is_relative_to(folder) and not INSTALLED & set(place.parts)
        for place in _places(spec)
        for folder in folders
    )


def _places(spec: ModuleSpec) -> list[Path]:
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or [])
    return [Path(place) for place in places]


def _counts_by_version(top: str, spec: ModuleSpec, into: Provenance) -> bool:
    """Add the distribution that holds a module; tell whether there is one."""
    if _is_standard(spec):
        return True
    names = [DISTRIBUTIONS.get(top, top)]
    try:
        metadata.version(names[0])
    except metadata.PackageNotFoundError:
        names = sorted(set(metadata.packages_distributions().get(top, [])))
    into.distributions.update({name: metadata.version(name) for name in names})
    return bool(names)
