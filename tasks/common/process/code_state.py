"""What tells that foldproof's code or an installed library has changed."""

import sys
import sysconfig
from pathlib import Path
from typing import Any

from foldproof.tasks.common.places import FOLDERS, ROOT
from foldproof.tasks.common.version import VERSION


def code_state() -> list[Any]:
    """Return the versions of Python and foldproof, and when and how long their files are."""
    sources = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    installed = {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}
    states = [file_state(path) for path in (*sources, *sorted(installed))]
    return [VERSION, sys.executable, sys.version, *states]


def file_state(path: Path) -> list[Any]:
    """Return a path with time and size of what is there, if anything is."""
    try:
        found = path.stat()
    except OSError:
        return [str(path)]
    return [str(path), found.st_mtime_ns, found.st_size]
