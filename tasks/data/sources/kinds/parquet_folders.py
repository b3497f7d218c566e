"""Check folders of Parquet files for other files, and suggest the path to use."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.data.sources.choose import find_source

TWICE = re.compile(r"Field (.+) has incompatible types: .*\bdictionary<")
MAGIC = b"PAR1"  # what each Parquet file begins with


def refuse_no_parquet(folder: str) -> None:
    """Refuse a folder in which nothing is called .parquet.

    Raises:
        InputError: with another file that lies there.
    """
    if any(Path(folder).rglob("*.parquet")):
        return
    others = list(_files(folder))
    usable = next((path for path in others if _is_usable(path)), None)
    if not others:
        raise InputError("data.source", f"{folder!r} holds no .parquet file; check the path")
    known = usable or others[0]
    remedy = _typed(usable) if usable else "check the path"
    problem = f"{folder!r} holds no .parquet file, but {known.name!r}"
    raise InputError("data.source", f"{problem}; a folder is for Parquet files: {remedy}")


def refuse_others(folder: str) -> None:
    """Refuse a folder that holds a file of another kind beside Parquet files.

    Raises:
        InputError: with the first one.
    """
    for path in _files(folder):
        if path.suffix != ".parquet" and not _is_parquet(path):
            remedy = f", or {_typed(path)}" if _is_usable(path) else ""
            problem = f"{folder!r} holds {path.name!r}, which is no Parquet file"
            raise InputError("data.source", f"{problem}; move it out of the folder{remedy}")


def refuse_twice_named(error: Exception) -> None:
    """Refuse a column that stands in the files and in the names of its folders, such as year=1.

    Raises:
        InputError: that is what the error is about.
    """
    if found := TWICE.search(str(error)):
        problem = f"column {found[1]!r} stands in the files and in the names of their folders"
        raise InputError("data.source", f"{problem}; rename one of the two") from None


def _files(folder: str) -> Iterator[Path]:
    """Yield the files that a reader of folders would take; it leaves hidden ones out."""
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and not any(part[0] in "._" for part in path.relative_to(folder).parts):
            yield path


def _is_usable(path: Path) -> bool:
    return find_source(str(path.absolute())) is not None


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return True  # another fault, which the reader names


def _typed(path: Path) -> str:
    return f"type --data {shlex.quote(str(path))}"
