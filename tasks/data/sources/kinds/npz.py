"""npz files: arrays X and y, or one for each of several inputs; optionally groups and weights."""

import os
from collections.abc import Collection
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.inputs import count_rows
from foldproof.tasks.common.text import first_line
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.addresses import ends_in
from foldproof.tasks.data.sources.array_inputs import arrays_of_inputs
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.open_file import open_source
from foldproof.tasks.data.sources.raw_table import RawData

KNOWN = ("X", "y", "groups", "weights")
ONE_HOT = (
    "; it is one-hot: give y.argmax(axis=1) (or data.task multilabel, where several may be true)"
)


def load(source: str, names: Collection[str] = ()) -> dict[str, NDArray[Any]]:
    """Read the arrays of an npz file; pickled objects are refused.

    Args:
        source: where it is.
        names: of further arrays, such as times, which are read where they are there.

    Raises:
        InputError: the file is damaged, holds objects or lacks X or y.
    """
    with open_source(source) as file:
        try:
            with np.load(file, allow_pickle=False) as archive:
                refuse_oversized(archive.zip)
                found = {name: archive[name] for name in {*KNOWN, *names} if name in archive.files}
        except InputError:
            raise
        except Exception as error:  # a damaged archive can raise anything: zlib.error, TypeError
            # The first sentence only: NumPy's second one advises to load pickles.
            reason = first_line(error).split(". ")[0]
            remedy = "write it with numpy.savez from arrays of numbers or text, not objects"
            raise InputError(
                "data.source", f"not a readable npz file ({reason}); {remedy}"
            ) from None
    _check_arrays(found)
    return found


def _check_arrays(found: dict[str, Any]) -> None:
    """Refuse members that are no npy files, which NumPy returns as bytes."""
    for name, value in found.items():
        if not isinstance(value, np.ndarray):
            problem = f"{name} in it is no array; write X and y with numpy.savez"
            raise InputError("data.source", problem)


def refuse_oversized(archive: ZipFile) -> None:
    """Refuse what unpacks to more than this machine has, before it is unpacked.

    Raises:
        InputError: it does.
    """
    size = sum(member.file_size for member in archive.infolist())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if size > memory:
        problem = f"unpacks to {size / 1e9:.0f} GB, but this machine has {memory / 1e9:.0f} GB"
        raise InputError("data.source", f"{problem}; save less in one file")


def select(found: dict[str, Any], spec: DataSpec, fold_column: str | None) -> RawData:
    """Take features, target, groups and weights from named arrays.

    Raises:
        InputError: an array is missing or a setting speaks of columns.
    """
    _refuse_columns(spec, fold_column)
    for name in ("X", "y") if spec.inputs is None else ("y",):
        if name not in found:
            raise InputError("data.source", f"has no array {name}; {_remedy(name)}")
    features: Any = found["X"] if spec.inputs is None else arrays_of_inputs(found, spec)
    sides = {name: array for name, array in found.items() if name in (*KNOWN, spec.time, spec.id)}
    sides.pop("X", None)
    if spec.inputs is None:
        _check_shape(features.shape)
    _check_sides(sides, count_rows(features), spec.task)
    target, is_array = sides.pop("y"), spec.task == "array"
    columns = {name: array.reshape(-1) for name, array in sides.items()}
    raw = RawData(
        features=features,
        target=target.reshape(-1) if target.size == len(target) and not is_array else target,
        settings=spec,
        groups=columns.get("groups"),
        weights=columns.get("weights"),
        time=_named("data.time", spec.time, columns),
        id=_named("data.id", spec.id, columns),
    )
    return raw.with_settings(
        target=None, **{name: name if name in found else None for name in KNOWN[2:]}
    )


def _named(setting: str, name: str | None, columns: dict[str, NDArray[Any]]) -> NDArray[Any] | None:
    """Return an array that is used only where a setting names it."""
    if name is not None and name not in columns:
        problem = f"no array {name!r} beside X; save one value a row under that name"
        raise InputError(setting, problem)
    return None if name is None else columns[name]


def _refuse_columns(spec: DataSpec, fold_column: str | None) -> None:
    given = {
        "data.features": spec.features,
        "data.drop": spec.drop,
        "data.target": None if spec.target == "y" else spec.target,
        "data.groups": None if spec.groups == "groups" else spec.groups,
        "data.weights": None if spec.weights == "weights" else spec.weights,
        "split.fold_column": fold_column,
    }
    for setting, value in given.items():
        if value:
            raise InputError(setting, "arrays have no columns; leave it out or use a table")


def _remedy(name: str) -> str:
    several = ", or name one array for each input in data.inputs" if name == "X" else ""
    return f"write X and y with numpy.savez{several}"


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) < 2:
        raise InputError("X", f"needs rows and features, but has shape {shape}")
    if 0 in shape:
        raise InputError("X", f"is empty; its shape is {shape}")


def _check_sides(sides: dict[str, Any], rows: int, task: str) -> None:
    for name, array in sides.items():
        if name == "y" and _holds_several(array, rows, task):
            continue
        if array.size != rows or array.ndim == 0 or array.shape[0] != rows:
            shape = f"needs one value for each of the {rows} rows of X, but has shape {array.shape}"
            remedy = ONE_HOT if _is_one_hot(array, rows) else ""
            raise InputError(name, shape + remedy)


def _holds_several(array: NDArray[Any], rows: int, task: str) -> bool:
    """Return whether an array holds several targets a row, (n, k) or of any shape."""
    if array.ndim < 2 or array.shape[0] != rows or 0 in array.shape:
        return False
    if array.ndim > 2 or task == "array":
        return array.size > rows
    is_told = task in ("multilabel", "regression")
    return array.shape[1] > 1 and (is_told or not _is_one_hot(array, rows))


def _is_one_hot(array: NDArray[Any], rows: int) -> bool:
    """Return whether each row says its class by a single one."""
    if array.ndim != 2 or len(array) != rows or array.dtype.kind not in "biuf":
        return False
    zeros_and_ones = np.isin(array, (0, 1)).all()
    return bool(zeros_and_ones and (array.sum(axis=1) == 1).all())


def _read(spec: DataSpec, fold_column: str | None) -> RawData:
    named = [name for names in (spec.inputs or {}).values() for name in names]
    names = [name for name in (*named, spec.time, spec.id) if name is not None]
    return select(load(spec.source, names), spec, fold_column)


SOURCE = Source(
    "an .npz file",
    takes=lambda address: ends_in(address, (".npz",)),
    read=_read,
)
