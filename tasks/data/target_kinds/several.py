"""Several targets a row: labels that may be true together, or several numbers."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import some_and_count

MAX_NAMED = 3  # targets in a message


def number_column(name: str, values: NDArray[Any]) -> NDArray[np.float64]:
    """Return one of several targets as numbers; booleans are 0 and 1.

    Args:
        name: of the column.
        values: (n,); objects are text, or booleans with None for a gap.

    Raises:
        InputError: a value is missing or no number.
    """
    gaps = sum(value is None for value in values) if values.dtype == object else 0
    if not gaps and values.dtype == object and all(isinstance(value, bool) for value in values):
        values = values.astype(bool)
    if not gaps and values.dtype.kind not in "biuf":
        problem = f"{name!r} holds text; several targets are 0 and 1, booleans or numbers"
        raise InputError("data.target", f"{problem}; write labels as 0 and 1, a column each")
    numbers = np.zeros(len(values)) if gaps else values.astype(np.float64)
    for told, count in (("missing", gaps or np.isnan(numbers).sum()), ("infinite", _inf(numbers))):
        if count:
            problem = f"{name!r}: {int(count)} of {len(values)} values are {told}"
            raise InputError("data.target", f"{problem}; remove those rows")
    return numbers


def kind_of_several(
    values: NDArray[np.float64], names: Sequence[str], task: str
) -> Literal["regression", "multilabel"]:
    """Return what several targets are: labels if all hold 0 and 1 only, else numbers.

    Args:
        values: (n, k).
        names: of the targets.
        task: the setting.

    Raises:
        InputError: they do not fit the task, or are of both kinds.
    """
    is_label = [bool(np.isin(column, (0, 1)).all()) for column in values.T]
    labels = [name for name, yes in zip(names, is_label, strict=True) if yes]
    others = [name for name, yes in zip(names, is_label, strict=True) if not yes]
    if task == "regression":
        return "regression"
    if task == "multilabel":
        if others:
            problem = f"multilabel needs 0 and 1, but {_some(others)} holds other numbers"
            raise InputError("data.task", f"{problem}; leave it out, or use regression")
        return "multilabel"
    if task != "auto":
        problem = f"{task} has one target, but there are {len(names)}"
        raise InputError("data.task", f"{problem}; use multilabel or regression")
    if labels and others:
        problem = f"{_some(labels)} holds 0 and 1 only, {_some(others)} other numbers"
        raise InputError("data.target", f"{problem}; if all are amounts: --data.task regression")
    return "multilabel" if labels else "regression"


def refuse_constant(values: NDArray[np.float64], names: Sequence[str]) -> None:
    """Refuse a label that no row has, or all have.

    Raises:
        InputError: with its name.
    """
    for name, column in zip(names, values.T, strict=True):
        if (column == column[0]).all():
            problem = f"{name!r} is {column[0]:g} in all rows; both values are needed"
            raise InputError("data.target", f"{problem}: leave it out")


def _inf(numbers: NDArray[np.float64]) -> int:
    return int(np.isinf(numbers).sum())


def _some(names: Sequence[str]) -> str:
    return some_and_count([repr(name) for name in names], MAX_NAMED)
