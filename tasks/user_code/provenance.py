"""Trace the provenance of a builder: its source and that of every module it imports.

Read from the files' syntax trees, so that nothing is imported or run, TensorFlow least of
all, and the answer does not depend on what this process imported before. Modules of
installed distributions count by version.
"""

import ast
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from foldproof.tasks.common.digest import digest_text
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.places import PACKAGE, is_own_code
from foldproof.tasks.user_code.installed import INSTALLED, STANDARD, owner
from foldproof.tasks.user_code.modules import (
    content_of,
    find_module,
    imported_from,
    package_of,
    parse_module,
    parse_source,
)
from foldproof.tasks.user_code.references import BUILT_IN, located, location_hint

MAX_SOURCES = 5000  # of one run; some thousand take a minute
FILES_PER_NOTICE = 100  # between two notices to the user


@dataclass
class Provenance:
    """The modules behind a builder.

    Attributes:
        sources: SHA-256 of each module's source, outside installed distributions.
        distributions: version of each installed distribution that those import.
        notices: what the user should be told.
        tell: is told of what takes long.
    """

    sources: dict[str, str] = field(default_factory=dict)
    distributions: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    tell: Callable[[str], None] = lambda text: None

    def add(self, setting: str, name: str, place: str, digest: str) -> None:
        """Add a module's source, and report progress from time to time.

        Raises:
            InputError: there are too many.
        """
        self.sources[name] = digest
        if len(self.sources) > MAX_SOURCES:
            problem = f"leads to more than {MAX_SOURCES} source files, the last one {place!r}"
            remedy = "install what does not change with pip, then it counts by its version"
            raise InputError(setting, f"{problem}; {remedy}")
        if len(self.sources) % FILES_PER_NOTICE == 0:
            self.tell(f"reading the source of your modules: {len(self.sources)} files")

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
        InputError: there is no such module.
    """
    if find_module(located(name), search) is None:
        raise InputError(setting, f"no module {name!r}; {location_hint(name)}")
    if name == BUILT_IN:
        _trace_built_in(setting, search, into)
    else:
        trace_import(setting, name, search, into)


def _trace_built_in(setting: str, search: list[str], into: Provenance) -> None:
    """Add the module of the built-in builders; the rest of foldproof counts by its version."""
    spec = find_module(located(BUILT_IN), search)
    assert spec is not None
    assert spec.origin is not None
    _, source = parse_module(setting, Path(spec.origin))
    into.add(setting, BUILT_IN, spec.origin, digest_text(source))
    theirs = find_module(BUILT_IN, search)
    if theirs is not None and theirs.origin and not is_own_code(theirs.origin):
        into.notices.append(f"{BUILT_IN} is foldproof's own; your module of that name is not used")


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
        spec = find_module(prefix, search)
        if spec is None:  # an attribute of the last module, or something optional
            return
        _follow(setting, prefix, spec, search, into)


def _follow(setting: str, name: str, spec: ModuleSpec, search: list[str], into: Provenance) -> None:
    if name.split(".")[0] == PACKAGE:
        return  # counts by its version, which is in every key
    if _is_standard(spec) or _counts_by_version(name, spec, into):
        return
    if name in into.sources or not spec.has_location or spec.origin is None:
        return
    content = content_of(spec)
    if not spec.origin.endswith(".py"):  # an extension module of the user's own
        into.add(setting, name, spec.origin, hashlib.sha256(content).hexdigest())
        return
    tree, source = parse_source(setting, Path(spec.origin).name, content)
    into.add(setting, name, spec.origin, digest_text(source))
    for imported in _imports(name, spec, tree):
        trace_import(setting, imported, search, into)


def _imports(name: str, spec: ModuleSpec, tree: ast.Module) -> Iterator[str]:
    package = package_of(name, spec)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = imported_from(node, package)
            yield from (f"{base}.{alias.name}".strip(".") for alias in node.names)


def _is_standard(spec: ModuleSpec) -> bool:
    """Return whether a module is Python's own; one of the user's may have the same name."""
    if spec.origin in ("built-in", "frozen"):
        return True
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or [])
    return any(
        place.startswith(STANDARD) and not INSTALLED & set(Path(place).parts) for place in places
    )


def _counts_by_version(name: str, spec: ModuleSpec, into: Provenance) -> bool:
    """Add the installed distribution that holds a module; tell whether there is one."""
    if spec.origin is None or not spec.has_location:
        return False  # a folder that several distributions share: what lies in it is looked at
    path = Path(spec.origin)
    depth = name.count(".") + (spec.submodule_search_locations is not None)
    folder = path.parents[min(depth, len(path.parents) - 1)]
    found = owner(str(folder), path.relative_to(folder).as_posix())
    if found is not None:
        into.distributions[found.name] = found.version
        return True
    return bool(INSTALLED & set(path.parts)) and _by_top_level(name.split(".")[0], into)


def _by_top_level(top: str, into: Provenance) -> bool:
    """Add what says that it holds a package; Linux distributions leave RECORD out."""
    names = sorted(set(metadata.packages_distributions().get(top, [])))
    into.distributions.update({name: metadata.version(name) for name in names})
    return bool(names)
