"""Data frames of any library, such as pandas and polars, as tables in memory."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import first_line, nearest

if TYPE_CHECKING:
    import pyarrow as pa


def is_frame(value: Any) -> bool:
    """Return whether a value is a data frame; libraries that nobody imported are not imported."""
    if isinstance(value, type) or not hasattr(type(value), "columns"):  # a lazy one would warn
        return False
    import narwhals as nw

    if _is_pandas(value):
        return bool(value.ndim == 2)  # whatever its columns are called
    return isinstance(nw.from_native(value, pass_through=True), nw.DataFrame | nw.LazyFrame)


def column_names(frame: Any) -> list[str]:
    """Return the names of a frame's columns; a number is its name.

    Raises:
        InputError: two columns have one name.
    """
    plain = frame.columns if _is_pandas(frame) else _wrapped(frame).columns
    names = [str(name) for name in plain]
    double = [name for name, count in Counter(names).items() if count > 1]
    if double:
        count = names.count(double[0])
        raise InputError("data", f"column {double[0]!r} stands there {count} times; rename one")
    return names


def take_column(frame: Any, name: str, setting: str) -> tuple[Any, Any]:
    """Return a frame without a column, and that column.

    Raises:
        InputError: it has none of that name.
    """
    names = column_names(frame)
    if name not in names:
        raise InputError(setting, f"no column {name!r}; {nearest(name, names).strip()}")
    whole = _wrapped(frame)
    known = whole.columns[names.index(name)]
    return whole.drop(known).to_native(), whole[known].to_numpy()


def as_table(frame: Any) -> "pa.Table":
    """Return a frame as an Arrow table, without pandas' index.

    Raises:
        InputError: it is not in memory, or a column mixes kinds of values.
    """
    import pyarrow as pa

    names, columns = column_names(frame), []
    whole = _wrapped(frame)
    for name, native in zip(names, whole.columns, strict=True):
        try:
            columns.append(whole[native].to_arrow())
        except (pa.ArrowException, TypeError, ValueError) as error:
            problem = f"column {name!r} mixes kinds of values ({first_line(error)})"
            raise InputError("data", f"{problem}; make all of one kind") from None
    return pa.table(columns, names=names)


def _is_pandas(frame: Any) -> bool:
    """Return whether a frame may have two columns of one name, which narwhals refuses."""
    return type(frame).__module__.partition(".")[0] == "pandas"


def _wrapped(frame: Any) -> Any:
    """Return a frame as narwhals sees it.

    Raises:
        InputError: it is not in memory.
    """
    import narwhals as nw

    try:
        return nw.from_native(frame, eager_only=True)
    except TypeError:
        raise InputError("data", "is a lazy frame; give frame.collect()") from None
