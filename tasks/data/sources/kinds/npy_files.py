"""npy files: an array of features, with the target in a file beside it."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import first_line
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.addresses import ends_in, is_uri, path_of
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.kinds import npz
from foldproof.tasks.data.sources.open_file import open_source
from foldproof.tasks.data.sources.raw_table import RawData


def _read(spec: DataSpec, fold_column: str | None) -> RawData:
    found = {"X": _load(spec.source)}
    found |= {name: _load(file) for name, file in _beside(spec).items()}
    return npz.select(found, spec, fold_column)


def _load(source: str) -> NDArray[Any]:
    """Read an array; one on this machine is mapped, since features are converted by blocks."""
    try:
        if not is_uri(source):
            mapped: NDArray[Any] = np.load(source, mmap_mode="r", allow_pickle=False)
            return _checked(mapped)
        with open_source(source) as file:
            return _checked(np.load(file, allow_pickle=False))
    except (OSError, ValueError, TypeError, EOFError, SyntaxError) as error:
        reason = first_line(error).split(". ")[0].rstrip(".")
        remedy = "write it with numpy.save from an array of numbers or text"
        problem = f"{_name(source)!r} is not a readable npy file ({reason})"
        raise InputError("data.source", f"{problem}; {remedy}") from None


def _checked(array: Any) -> NDArray[Any]:
    """Refuse what numpy.load returns of an archive that is called .npy."""
    if isinstance(array, np.ndarray):
        return array
    array.close()
    raise ValueError("an archive of several arrays: call it .npz")


def _beside(spec: DataSpec) -> dict[str, str]:
    """Return the other arrays' files by what they hold; all stand beside the first one."""
    folder, slash, _ = path_of(spec.source).rpartition("/")
    options = spec.source.removeprefix(path_of(spec.source))
    files = spec.npy.model_dump()
    return {name: f"{folder}{slash}{file}{options}" for name, file in files.items() if file}


def _name(source: str) -> str:
    return path_of(source).rpartition("/")[2]


def _check(spec: DataSpec) -> None:
    for name, file in _beside(spec).items():
        if not is_uri(file) and not os.path.isfile(file):  # noqa: PTH113  # never raises
            problem = f"no file {_name(file)!r} beside {Path(spec.source).name!r}"
            remedy = "name the one that is, or save X and y with numpy.savez as an npz file"
            raise InputError(f"data.npy.{name}", f"{problem}; {remedy}")


SOURCE = Source(
    "an .npy file with y.npy beside it",
    takes=lambda address: ends_in(address, (".npy",)),
    read=_read,
    settings=("npy",),
    also=lambda spec: tuple(_beside(spec).values()),
    check=_check,
)
