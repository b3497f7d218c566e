"""References to user code, `module:name`: recognise typing errors and suggest a remedy."""

import ast
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.places import PACKAGE

MAX_FOLDERS = 500  # that are looked through for a module that lies elsewhere
BUILT_IN = "tasks.models"  # the name of the built-in builders in settings, keys and manifests
MAX_DEPTH = 3  # folders below the working directory


def refuse_slip(setting: str, text: str, kind: str) -> None:
    """Refuse a mistyped reference, with the one that was probably meant.

    Args:
        setting: the setting's name.
        text: as given, such as `nets.py:build`, `./nets:build`, `nets.build` or `nets`.
        kind: what is to be named, function or Class.

    Raises:
        InputError: with what to type.
    """
    module, colon, name = text.partition(":")
    is_path = "/" in module or "\\" in module or module.endswith(".py")
    plain = name.strip(": ").removesuffix("()")
    if colon and module.strip() and plain == name != "" and not is_path:
        return
    if not colon and not is_path:
        module, plain = _parted(module.strip().removesuffix("()"))
    dotted = _dotted(module.strip().replace("\\", "/")) if is_path else module.strip()
    written = f"{dotted or 'module'}:{plain or _only_one(dotted, kind)}"
    how = f"write {written}" if colon or plain or is_path else f"write both, as in {written}"
    raise InputError(setting, f"{text!r} is not module:{kind}; {how}")


def _parted(text: str) -> tuple[str, str]:
    """Divide at the last dot, unless a module of the whole name is there."""
    if "." not in text or _holds(Path.cwd(), Path(*text.split("."))):
        return text, ""
    module, _, name = text.rpartition(".")
    return module, name


def _only_one(module: str, kind: str) -> str:
    """Return the name in a module that can be meant, or a word for it."""
    path = Path(*module.split(".")).with_suffix(".py") if module else Path()
    wanted = ast.ClassDef if kind == "Class" else ast.FunctionDef
    try:
        body = ast.parse(path.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return kind
    names = [node.name for node in body if isinstance(node, wanted) and node.name[0] != "_"]
    return "build" if "build" in names else names[0] if len(names) == 1 else kind


def location_hint(module: str) -> str:
    """Return a hint on where a module lies that is not found from the working directory.

    Returns:
        What to type or do, or that it is looked for there.
    """
    here = Path.cwd()
    tail = Path(*module.split("."))
    for folder in _folders(here, MAX_DEPTH):
        if folder != here and _holds(folder, tail):
            below = ".".join((*folder.relative_to(here).parts, module))
            if all(part.isidentifier() for part in below.split(".")):
                return f"there is one in {folder.name!r}; write {below} instead"
            return f"there is one in {folder.name!r}; run in that folder"
    if _holds(here.parent, tail):
        return "there is one in the folder above; run there"
    return "it is looked for from the working directory"


def _dotted(path: str) -> str:
    """Return the module of a path, as far as it lies below the working directory."""
    whole = Path(path.removesuffix(".py"))
    if whole.is_absolute():
        inside = whole.is_relative_to(Path.cwd())
        whole = whole.relative_to(Path.cwd()) if inside else Path(whole.name)
    return ".".join(part for part in whole.parts if part not in (".", ".."))


def _folders(top: Path, depth: int) -> Iterator[Path]:
    """Yield folders, the nearest first; hidden ones, and environments, hold nothing meant."""
    level, count = [top], 0
    for _ in range(depth + 1):
        below: list[Path] = []
        for folder in level:
            count += 1
            if count > MAX_FOLDERS:
                return
            yield folder
            below += _below(folder)
        level = below


def _below(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(entry.name for entry in found if entry.is_dir())
    except OSError:
        return []
    plain = (folder / name for name in entries if name[0] not in "._")
    return [path for path in plain if not (path / "pyvenv.cfg").exists()]


def _holds(folder: Path, tail: Path) -> bool:
    module, package = (folder / tail).with_suffix(".py"), folder / tail / "__init__.py"
    return os.path.isfile(module) or os.path.isfile(package)  # noqa: PTH113  # never raise


def located(module: str) -> str:
    """Return the module to import for one that a setting names; others are found by name."""
    return f"{PACKAGE}.{BUILT_IN}" if module == BUILT_IN else module


def in_settings(reference: str) -> str:
    """Return a reference as settings write it: a built-in builder has one name only."""
    return reference.removeprefix(f"{PACKAGE}.") if is_built_in(reference) else reference


def is_built_in(reference: str) -> bool:
    """Return whether a reference names a built-in builder, by its short or its full name."""
    return reference.partition(":")[0] in (BUILT_IN, f"{PACKAGE}.{BUILT_IN}")


def library_modules(reference: str, sources: Collection[str]) -> tuple[str, ...]:
    """Return the modules of installed libraries that a builder is known to need.

    Args:
        reference: the builder's name in the settings.
        sources: the modules of the user's that it is made of.
    """
    module = reference.partition(":")[0]
    top = module.partition(".")[0]
    is_own = any(name.partition(".")[0] == top for name in sources)
    return (module,) if top == "sklearn" and not is_own else ()
