"""Files and folders of this machine: whether they can be read, and the digest of their bytes."""

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NoReturn

from foldproof.tasks.common.digest import digest_file, digest_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest


def refuse_unreadable(address: str, names: Sequence[str]) -> None:
    """Refuse a path at which nothing is that may be read.

    Args:
        address: the path.
        names: what a bare word could have meant.

    Raises:
        InputError: with the likely reason.
    """
    path = Path(address)
    if not os.path.isfile(path) and not os.path.isdir(path):  # noqa: PTH112,PTH113  # never raise
        _refuse_missing(path, address, names)
    if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
        raise InputError("data.source", f"may not read {address!r}; ask for its permission")


def _refuse_missing(path: Path, address: str, names: Sequence[str]) -> NoReturn:
    """Refuse a path that does not exist, with the likely reason."""
    if os.path.lexists(path) and not os.path.exists(path):  # noqa: PTH110
        raise InputError("data.source", f"{address!r} is a link to nothing; check the path")
    if os.path.exists(path):  # noqa: PTH110
        problem = f"{address!r} is a pipe or device; save the data in a file"
        raise InputError("data.source", problem)
    known = nearest(address, names) if _is_bare(address) else "check the path "
    raise InputError("data.source", f"no file or folder {address!r}; {known.strip()}")


def _is_bare(address: str) -> bool:
    return "." not in address and "/" not in address


def digest_of_bytes(address: str) -> str | None:
    """Return the digest of a file's or folder's bytes and of the kind that its name says.

    None where nothing can be read; that is said when the data is.
    """
    path = Path(address)
    try:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file())
            return digest_json([[str(f.relative_to(path)), _digest(f)] for f in files])
        if path.is_file():
            return digest_json([path.name.partition(".")[2].lower(), _digest(path)])
    except OSError:
        pass
    return None


def _digest(path: Path) -> str:
    stat = path.stat()
    return _digest_once(path, stat.st_size, stat.st_mtime_ns)


@cache
def _digest_once(path: Path, size: int, changed_at: int) -> str:
    """Hash a file once in a process: several models of a comparison have the same."""
    return digest_file(path)
