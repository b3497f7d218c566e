"""Data frames of any library, such as pandas and polars, as tables in memory."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest

if TYPE_CHECKING:
    import pyarrow as pa

MAX_SHOWN_KINDS = 3  # of values in one column


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
    whole = _named_by_text(frame, names)
    return whole.drop(name).to_native(), whole.get_column(name).to_numpy()


def as_table(frame: Any) -> "pa.Table":
    """Return a frame as an Arrow table, without pandas' index.

    Raises:
        InputError: it is not in memory, or a column holds what no table can.
    """
    import pyarrow as pa

    names, columns = column_names(frame), []
    whole = _named_by_text(frame, names)
    for name in names:
        try:
            columns.append(whole.get_column(name).to_arrow())
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            problem = f"column {name!r} holds {_kinds(whole.get_column(name))}"
            remedy = "give numbers, booleans, text or dates, of one kind"
            raise InputError("data", f"{problem}; {remedy}") from None
    return pa.table(columns, names=names)


def _named_by_text(frame: Any, names: list[str]) -> Any:
    """Return a frame with these names for its columns, and no sparse ones, as narwhals sees it."""
    if not _is_pandas(frame):
        return _wrapped(frame)
    plain = frame.set_axis(names, axis="columns")
    sparse = [n for n in names if type(plain[n].dtype).__name__ == "SparseDtype"]
    return _wrapped(plain.assign(**{name: plain[name].sparse.to_dense() for name in sparse}))


def _kinds(column: Any) -> str:
    """Return the kinds of values in a column, for a message."""
    kinds = sorted({type(value).__name__ for value in column.to_list() if value is not None})
    return " and ".join(kinds[:MAX_SHOWN_KINDS]) or "nothing"


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
