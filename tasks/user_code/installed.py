"""Find the installed distribution that owns a file, by the RECORD of the distribution.

The folder may be called anything, as with `pip install --target`, or be a zip file. Editable
installs have no source in their RECORD: those are the user's own. Distributions are looked up
one folder and one name at a time, since most runs meet a few of them only.
"""

import os
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

INSTALLED = {"site-packages", "dist-packages"}
DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "PyYAML", "PIL": "pillow"}  # the usual ones
STANDARD = tuple({f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib")})
INSTALL_FOLDERS = (
    *STANDARD,
    *{f"{sysconfig.get_path(name)}{os.sep}" for name in ("purelib", "platlib")},
)


@dataclass(frozen=True)
class Owner:
    """A distribution as it is installed in some folder.

    Attributes:
        name, version: its own.
        files: those that it put there, relative to the folder.
    """

    name: str
    version: str
    files: frozenset[str]


def owner(folder: str, relative: str) -> Owner | None:
    """Return the distribution that put a file into a folder of installed packages.

    Args:
        folder: the folder or zip file that is on the path.
        relative: the file in it, with forward slashes.
    """
    top = relative.partition("/")[0]
    try:
        changed = Path(folder).stat().st_mtime_ns
    except (OSError, ValueError):
        return None
    for owners in (_namesakes, _all):
        for found in owners(folder, top, changed):
            if relative in found.files:
                return found
    return None


def is_installed_file(path: str) -> bool:
    """Return whether a file is Python's or an installed distribution's."""
    if path.startswith(INSTALL_FOLDERS) or INSTALLED & set(Path(path).parts):
        return True
    folders = (os.path.realpath(entry) for entry in sys.path if entry)
    return any(
        path.startswith(f"{folder}{os.sep}") and owner(folder, os.path.relpath(path, folder))
        for folder in folders
    )


@cache
def _namesakes(folder: str, top: str, _: int) -> tuple[Owner, ...]:
    """Return the distribution that is called as the package, which spares reading all others."""
    name = top.partition(".")[0]
    return tuple(_holding(top, DISTRIBUTIONS.get(name, name), folder))


@cache
def _all(folder: str, top: str, _: int) -> tuple[Owner, ...]:
    return tuple(_holding(top, None, folder))


def _holding(top: str, name: str | None, folder: str) -> Iterator[Owner]:
    """Yield the distributions with files below a name in a folder."""
    for found in metadata.distributions(name=name, path=[folder]):
        record = found.read_text("RECORD") or ""
        if record.startswith(top) or f"\n{top}" in record or f'\n"{top}' in record:
            lines = record.splitlines()
            files = frozenset(line.rsplit(",", 2)[0].strip('"') for line in lines)
            yield Owner(found.name, found.version, files)
