"""Sources that are tables: they are checked, and their columns have roles."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest, some_of
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.columns import Roles, find_roles, spaced
from foldproof.tasks.data.sources.raw_table import RawData, values
from foldproof.tasks.data.sources.table_on_disk import TableOnDisk, damage_as_input_error
from foldproof.tasks.data.target_kinds.several import number_column

Table: TypeAlias = pa.Table | TableOnDisk

MOST_NAMED = 5  # columns in a note


def checked_table(
    source: str, read: Callable[[], tuple[Table, tuple[str, ...]]]
) -> tuple[Table, tuple[str, ...]]:
    """Read a table, and check that it has rows and that each column has a name of its own.

    Args:
        source: where it is.
        read: returns it, and what was unusual about the file, a line each.

    Raises:
        InputError: it is empty, damaged, or its header is not usable.
    """
    with damage_as_input_error(source):
        table, notices = read()
        _check_header(table, source)
    if table.num_rows == 0:
        raise InputError("data.source", f"{source!r} has no rows; give some samples")
    return table, notices


def select(
    table: Table, target: str | list[str] | None, spec: DataSpec, fold_column: str | None
) -> RawData:
    """Give the columns their roles; all that have none are features.

    Raises:
        InputError: a column is missing or has two roles.
    """
    if target is None:
        some = nearest("", table.column_names).strip() + spaced(table.column_names)
        problem = "missing; name the column to predict with --data.target NAME"
        raise InputError("data.target", f"{problem}; {some}")
    targets = [target] if isinstance(target, str) else target
    roles = find_roles(table.column_names, targets, spec, fold_column)
    other = {*roles.taken.values(), *roles.targets, *roles.drop}
    names = roles.features or [name for name in table.column_names if name not in other]
    if roles.inputs is not None:
        return _of_inputs(table, roles, names, spec)
    if not names:
        raise InputError("data.features", "no column is left to learn from; drop fewer columns")
    _refuse_index(names, spec)
    return _with_roles(table, roles, table.select(names), spec)


def _of_inputs(table: Table, roles: Roles, names: Sequence[str], spec: DataSpec) -> RawData:
    """Return the columns of each input; those of none are left out, with a note."""
    if isinstance(table, TableOnDisk):
        table = table.read()
    features = {name: table.select(columns) for name, columns in (roles.inputs or {}).items()}
    used = {column for each in features.values() for column in each.column_names}
    others = [repr(name) for name in names if name not in used]
    raw = _with_roles(table, roles, features, spec)
    told = f"columns of no input are left out: {some_of(others, MOST_NAMED)}"
    return raw.with_notices([told] if others else [])


def _with_roles(table: Table, roles: Roles, features: Any, spec: DataSpec) -> RawData:
    side = {setting: _side(table, setting, column) for setting, column in roles.taken.items()}
    return RawData(
        features=features,
        target=_targets(table, roles.targets),
        target_names=roles.targets if len(roles.targets) > 1 else (),
        settings=spec.model_copy(update=roles.settings),
        groups=side.get("data.groups"),
        weights=side.get("data.weights"),
        time=side.get("data.time"),
        id=side.get("data.id"),
        folds=side.get("split.fold_column"),
    )


def _targets(table: pa.Table, names: Sequence[str]) -> NDArray[Any]:
    """Return the column to predict, (n,), or several side by side, (n, k)."""
    columns = [_side(table, "data.target", name) for name in names]
    if len(columns) == 1:
        return columns[0]
    return np.column_stack([number_column(n, c) for n, c in zip(names, columns, strict=True)])


def _refuse_index(names: Sequence[str], spec: DataSpec) -> None:
    """Refuse the row numbers that pandas saves beside the columns, unless asked for."""
    for name in names:
        if name.startswith("__index_level_") and not spec.features:
            remedy = "put it in data.drop, or list data.features"
            raise InputError("data.features", f"{name!r} is the index of a pandas table; {remedy}")


def _side(table: Table, setting: str, name: str) -> NDArray[Any]:
    column = table[name]
    if pa.types.is_nested(column.type):
        raise InputError(setting, f"column {name!r} holds {column.type}; give numbers or text")
    return values(column)


def _check_header(table: Table, source: str) -> None:
    counts = Counter(table.column_names)
    double = [name for name, count in counts.items() if count > 1]
    if counts[""] > 1:
        remedy = "a title above the header? Remove it, or set data.csv.comment to how it begins"
        raise InputError("data.source", f"{counts['']} columns have no name ({remedy})")
    if double:
        raise InputError(
            "data.source",
            f"column {double[0]!r} stands there {counts[double[0]]} times; rename one",
        )
    if "" in counts:
        position = table.column_names.index("") + 1
        remedy = "an index? Save the file without it, or give it a name and drop it"
        raise InputError("data.source", f"column {position} of {source!r} has no name ({remedy})")
