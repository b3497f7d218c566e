"""Open a path or a URI for reading."""

from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
from pyarrow import fs

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import first_line


def file_system_of(source: str) -> tuple[fs.FileSystem, str]:
    """Return the file system of a path or URI and the path on it.

    Raises:
        InputError: the URI's scheme is unknown.
    """
    try:
        found = fs.FileSystem.from_uri(
            source if "://" in source else Path(source).resolve().as_uri()
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        remedy = "give a path, or a URI such as s3://bucket/file.csv"
        problem = f"cannot open {source!r}: {first_line(error)}; {remedy}"
        raise InputError("data.source", problem) from None
    return cast(tuple[fs.FileSystem, str], found)


def open_source(source: str) -> BinaryIO:
    """Open a file for reading at any position.

    Raises:
        InputError: it cannot be opened.
    """
    system, path = file_system_of(source)
    try:
        return cast(BinaryIO, system.open_input_file(path))
    except (pa.ArrowException, OSError) as error:
        problem = f"cannot open {source!r}: {first_line(error)}; check the path"
        raise InputError("data.source", problem) from None
