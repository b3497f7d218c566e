"""Find modules as imports do, and parse their source, without importing or running anything."""

import ast
import warnings
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import decode_source, find_spec
from pathlib import Path

from foldproof.tasks.common.errors import InputError


def parse_module(setting: str, path: Path) -> tuple[ast.Module, str]:
    """Read a source file in the encoding that it declares: its syntax tree, its text.

    Raises:
        InputError: it is not Python.
    """
    return parse_source(setting, path.name, path.read_bytes())


def parse_source(setting: str, name: str, content: bytes) -> tuple[ast.Module, str]:
    """Return the syntax tree and the text of a source file's content.

    Raises:
        InputError: it is not Python.
    """
    try:
        source = decode_source(content)
        with warnings.catch_warnings(action="ignore"):  # they are for when it runs
            return ast.parse(source), source
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"line {line} of {name}" if line else name
        problem = getattr(error, "msg", None) or str(error)
        raise InputError(setting, f"{where} is not Python: {problem}") from None


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
    spec = PathFinder.find_spec(top, search)
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


def content_of(spec: ModuleSpec) -> bytes:
    """Return a module's file, which may lie in a zip file."""
    assert spec.origin is not None
    path = Path(spec.origin)
    if path.is_file() or not hasattr(spec.loader, "get_data"):
        return path.read_bytes()
    content: bytes = spec.loader.get_data(spec.origin)  # type: ignore[union-attr]
    return content
