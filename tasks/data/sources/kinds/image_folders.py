"""Folders of images, with one subfolder a class."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.addresses import is_uri
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.images.decode import ENDINGS, ImageFiles, refuse_without_pillow
from foldproof.tasks.data.sources.kinds import npz
from foldproof.tasks.data.sources.raw_table import RawData


def _takes(address: str) -> bool:
    """Tell whether images lie in a folder or right below it, and no Parquet files."""
    if is_uri(address) or not os.path.isdir(address):  # noqa: PTH112  # never raises
        return False
    try:
        for name in _names(address):
            if name.endswith(".parquet"):
                return False
            if name.endswith(ENDINGS):
                return True
    except OSError:
        pass
    return False


def _names(folder: str) -> Iterator[str]:
    """Yield the names of files in a folder and in its subfolders, in small letters."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                with os.scandir(entry) as inner:
                    yield from (file.name.lower() for file in inner if file.name[0] != ".")
            else:
                yield entry.name.lower()


def _read(spec: DataSpec, fold_column: str | None) -> RawData:
    folder = Path(spec.source)
    files = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    seen = [path for path in files if not any(part.startswith(".") for part in path.parts)]
    images = [path for path in seen if path.suffix.lower() in ENDINGS]
    for path in images:
        if len(path.parts) == 1:
            problem = f"image {path.name!r} lies in no subfolder; give each class a folder"
            remedy = "or name the images in a table, with data.images.column"
            raise InputError("data.source", f"{problem}, {remedy}")
    images.sort(key=lambda path: path.parts)
    found = {
        "X": ImageFiles(folder, [path.as_posix() for path in images], spec.images).decode(),
        "y": np.array([path.parts[0] for path in images]),
    }
    others = [path.as_posix() for path in seen if path.suffix.lower() not in ENDINGS]
    count = f"{len(others)} files that are no images" if len(others) > 1 else "a file, no image"
    notices = (f"left out {count}: {others[0]!r}",) if others else ()
    return npz.select(found, spec, fold_column).with_notices(notices)


def _check(spec: DataSpec) -> None:
    if spec.images.column is not None:
        problem = "a folder of images has no columns; leave it out, or give a table of paths"
        raise InputError("data.images.column", problem)
    if spec.inputs is not None:
        problem = "a folder of images makes one input; leave it out, or give a table of paths"
        raise InputError("data.inputs", problem)
    refuse_without_pillow()


SOURCE = Source(
    "a folder of images with one subfolder a class",
    takes=_takes,
    read=_read,
    settings=("images",),
    check=_check,
    is_of_images=True,
)
