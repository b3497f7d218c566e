"""The registry of arrays given in Python: settings refer to them by their digest.

They are kept by the settings that stand for them (`DataSpec`), and go when the last of these
does, which is the user's own or a run's.
"""

import hashlib
import weakref
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.digest import digest_array, digest_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import first_line
from foldproof.tasks.config.in_memory.frames import as_table, is_frame
from foldproof.tasks.config.in_memory.streams import refuse_stream

PREFIX = "memory:"
TABLE = "table"  # what a whole frame is kept as
PANDAS_GAPS = ("NAType", "NaTType")
NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)


class Arrays:
    """A copy of arrays given in Python, with the source setting that refers to them.

    Attributes:
        source: the setting.
        named: the arrays by name, of which features may be tables; or a whole one under `TABLE`.
    """

    def __init__(self, source: str, named: dict[str, Any]) -> None:
        """Hold them."""
        self.source, self.named = source, named

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        """Travel by name: settings are copied and sent around, arrays are not."""
        return find_arrays, (self.source,)


_kept: weakref.WeakValueDictionary[str, Arrays] = weakref.WeakValueDictionary()


def is_in_memory(source: str) -> bool:
    """Return whether a source setting refers to arrays in memory."""
    return source.startswith(PREFIX)


def store_arrays(given: dict[str, Any], features: Collection[str] = ("X",)) -> Arrays:
    """Copy and register arrays; equal ones are stored once.

    Args:
        given: arrays by name.
        features: which of them may be frames.

    Raises:
        InputError: an array holds something else than numbers, booleans or text.
    """
    for name, value in given.items():
        refuse_stream(name, value)
    found = {name: _table(given[name]) for name in features}
    tables = {name: table for name, table in found.items() if table is not None}
    plain = {name: value for name, value in given.items() if name not in tables}
    arrays: dict[str, Any] = {
        name: _array(name, value, name in features) for name, value in plain.items()
    }
    content: dict[str, Any] = {name: digest_array(a) for name, a in arrays.items()}
    content |= {name: _digest_table(table) for name, table in tables.items()}
    arrays |= tables
    source = PREFIX + digest_json(content)[:16]
    return _kept.setdefault(source, Arrays(source, arrays))


def named_features(X: Any, taken: Collection[str]) -> dict[str, Any]:
    """Return the features of each input by its name; those of the only one are X.

    Args:
        X: features, or a dict of these.
        taken: names of what is no input.

    Raises:
        InputError: an input has no name, or one of these.
    """
    if not isinstance(X, Mapping):
        return {"X": X}
    if not X:
        raise InputError("X", "names no input; give some, as {name: features}")
    for name in X:
        if not isinstance(name, str) or name in taken:
            others = ", ".join(sorted(taken))
            problem = f"{name!r} is no name of an input"
            raise InputError("X", f"{problem}; give a text other than {others}")
    return dict(X)


def _table(X: Any) -> Any:
    """Return features as a table if they are a frame, or an array of more than numbers.

    Raises:
        InputError: a column mixes kinds of values.
    """
    if is_frame(X):
        return as_table(X)
    is_mixed = isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 2 and X.size
    if not is_mixed or all(isinstance(item, NUMBERS) for item in X.ravel()):
        return None
    import pandas as pd

    frame = pd.DataFrame(X.copy()).infer_objects()
    return as_table(frame.set_axis(map(str, range(X.shape[1])), axis=1))


def remember_frame(frame: Any) -> Arrays:
    """Copy a data frame and return what keeps it; equal ones are kept once.

    Raises:
        InputError: it cannot be a table.
    """
    table = as_table(frame)
    source = f"{PREFIX}{_digest_table(table)[:16]}"
    return _kept.setdefault(source, Arrays(source, {TABLE: table}))


def _digest_table(table: Any) -> str:
    import pyarrow as pa

    digest = _Digest()
    with pa.ipc.new_stream(pa.PythonFile(digest, mode="w"), table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return digest.sha256.hexdigest()


class _Digest:
    """A file that keeps nothing of what is written but its digest."""

    closed = False

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def write(self, content: Any) -> int:
        self.sha256.update(content)
        return len(content)

    def flush(self) -> None:
        """Do nothing: all is digested."""

    def close(self) -> None:
        """Do nothing."""


def find_arrays(source: str) -> Arrays | None:
    """Return the registered arrays of a source setting, or None."""
    return _kept.get(source)


def get_arrays(source: str) -> Arrays:
    """Return the arrays that a source setting refers to.

    Raises:
        InputError: another process had them, or nothing stands for them any more.
    """
    found = find_arrays(source)
    if found is None:
        problem = "these arrays are not in the memory of this process (any more)"
        raise InputError(
            "data.source", f"{problem}; keep their DataSpec, or save them as an npz file"
        )
    return found


def _array(name: str, value: Any, are_features: bool) -> NDArray[Any]:
    try:
        array = np.array(value)
    except ValueError as error:  # rows of different lengths
        raise InputError(name, f"is no array ({first_line(error)}); give equal rows") from None
    if name == "time" and array.dtype == object:
        array = _moments(array)
    if array.dtype.kind == "T":  # NumPy's own strings have no fixed bytes to hash
        array = array.astype(object)
    if array.dtype != object:
        return array
    _refuse_gaps(name, array)
    return _from_objects(name, array, are_features)


def _moments(array: NDArray[Any]) -> NDArray[Any]:
    """Return dates and times of Python's and pandas' as NumPy's, in UTC where they have a zone."""
    import pyarrow as pa

    try:
        column = pa.array(array.reshape(-1), from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        return array
    if not pa.types.is_timestamp(column.type) and not pa.types.is_date(column.type):
        return array
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _refuse_gaps(name: str, array: NDArray[Any]) -> None:
    """Refuse pandas' own mark of a missing value."""
    gaps = np.vectorize(lambda item: type(item).__name__ in PANDAS_GAPS, otypes=[bool])(array)
    if gaps.any():
        count = f"{int(gaps.sum())} of {gaps.size} values are missing (NA)"
        raise InputError(name, f"{count}; remove those rows")


def _from_objects(name: str, array: NDArray[Any], are_features: bool) -> NDArray[Any]:
    """Return text or numbers; a table of both booleans and floats comes as objects, too."""
    kinds = {type(item) for item in array.ravel()}
    if kinds == {str}:
        return array.astype(str)
    if are_features and all(issubclass(kind, NUMBERS) for kind in kinds):
        return array.astype(np.float64)
    raise InputError(name, f"holds {_names(kinds)}; give numbers, booleans or text without gaps")


def _names(kinds: set[type]) -> str:
    return " and ".join(sorted(kind.__name__ for kind in kinds))
