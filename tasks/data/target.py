"""Resolve the target: sorted class labels or numbers, by its values or the settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.task import Task
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.labels import find_label
from foldproof.tasks.data.target_kinds.arrays import array_target
from foldproof.tasks.data.target_kinds.counts import count_target
from foldproof.tasks.data.target_kinds.several import (
    kind_of_several,
    number_column,
    refuse_constant,
)

MAX_INTEGER_CLASSES = 20

Label = int | str


@dataclass(frozen=True)
class Target:
    """The target: coded labels or values, with the task.

    Attributes:
        task: the kind of task.
        labels: the classes, sorted; empty where rows have no one class: numbers, several labels.
        positive: the positive label of a binary task, else None.
        codes: the position of each sample's label, int64 (n,); for a regression the
            values themselves, float64 (n,). Of several targets (n, k): 0 and 1 int64, or float64.
            Of a target of any shape float32 (n, ...).
        names: of several targets; empty for one.
    """

    task: Task
    labels: tuple[Label, ...]
    positive: Label | None
    codes: NDArray[Any]
    names: tuple[str, ...] = ()


def resolve_target(values: NDArray[Any], spec: DataSpec, names: Sequence[str] = ()) -> Target:
    """Tell the task from the values and code the labels.

    Args:
        values: the raw target, (n,); objects are text with None for a gap. Several are (n, k).
        spec: the data settings, for `task` and `positive`.
        names: of several targets, if they have names.

    Raises:
        InputError: a value is missing, or the values do not fit the task.
    """
    if values.ndim > 2 or spec.task == "array":
        return _array(values, spec)
    if values.ndim == 2:
        return _several(values, spec, names)
    _refuse_one(spec)
    values = _normalised(values)
    task = spec.task if spec.task != "auto" else _guess(values)
    if task in ("regression", "count"):
        return _regression(values, spec, task)
    if values.dtype.kind == "f":
        raise InputError(
            "data.task", f"{task} needs labels, but the target has fractions; use regression"
        )
    labels, codes = np.unique(values, return_inverse=True)
    named: tuple[Label, ...] = tuple(labels.tolist())
    _check_text(named)
    if len(named) < 2:
        raise InputError("data.target", f"all rows have the one class {named[0]!r}; two are needed")
    kind: Task = _kind(task, named)
    return Target(kind, named, _positive(spec, kind, named), codes.astype(np.int64))


def _several(values: NDArray[Any], spec: DataSpec, given: Sequence[str]) -> Target:
    names = tuple(given) or tuple(map(str, range(values.shape[1])))
    columns = [number_column(name, c) for name, c in zip(names, values.T, strict=True)]
    numbers = np.column_stack(columns)
    task = kind_of_several(numbers, names, spec.task)
    if spec.positive is not None:
        raise InputError("data.positive", f"only binary tasks have one, not {task}; leave it out")
    if task == "regression":
        return Target("regression", (), None, numbers, names)
    refuse_constant(numbers, names)
    return Target("multilabel", (), None, numbers.astype(np.int64), names)


def _array(values: NDArray[Any], spec: DataSpec) -> Target:
    if spec.task not in ("auto", "array"):
        problem = f"{spec.task} has one target a row, but its shape is {values.shape[1:]}"
        raise InputError("data.task", f"{problem}; use array, or leave it out")
    if spec.positive is not None:
        raise InputError("data.positive", "an array has no positive label; leave it out")
    return Target("array", (), None, array_target(values))


def _refuse_one(spec: DataSpec) -> None:
    if spec.task == "multilabel":
        problem = "multilabel needs several targets, but there is one"
        raise InputError("data.task", f"{problem}; list the columns, or use binary")


def _normalised(values: NDArray[Any]) -> NDArray[Any]:
    """Return text, int64 or float64 without gaps; integral floats become int64."""
    kind = values.dtype.kind
    if kind == "O":
        values = _without_gaps(values)
        kind = values.dtype.kind
    if kind in "SU":
        return _text(values)
    if kind == "b":
        return values.astype(str)
    if kind in "iu":
        return _int64(values)
    if kind != "f":
        raise InputError("data.target", f"holds {values.dtype}; give numbers, booleans or text")
    values = values.astype(np.float64)  # float16 cannot be compared with 2**53
    _check_finite(values)
    integral = bool(np.all(values == np.floor(values)) and np.all(np.abs(values) < 2**53))
    return values.astype(np.int64 if integral else np.float64)


def _int64(values: NDArray[Any]) -> NDArray[np.int64]:
    if len(values) and int(values.max()) > np.iinfo(np.int64).max:
        raise InputError("data.target", "holds numbers above 2**63 - 1; give smaller ones or text")
    return values.astype(np.int64)


def _without_gaps(values: NDArray[Any]) -> NDArray[Any]:
    gaps = sum(value is None or value != value for value in values)
    if gaps:
        raise InputError(
            "data.target", f"{gaps} of {len(values)} values are missing; remove those rows"
        )
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return values.astype(bool)
    if kinds != {str}:
        names = " and ".join(sorted(kind.__name__ for kind in kinds))
        raise InputError("data.target", f"holds {names}; give numbers, booleans or text")
    return values.astype(str)


def _text(values: NDArray[Any]) -> NDArray[Any]:
    try:
        text = np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values
    except UnicodeDecodeError:
        raise InputError("data.target", "holds bytes that are not UTF-8; give text") from None
    empty = int(np.sum(text == ""))
    if empty:
        raise InputError(
            "data.target", f"{empty} of {len(text)} values are empty; remove those rows"
        )
    return text


def _check_text(labels: tuple[Label, ...]) -> None:
    try:
        "".join(map(str, labels)).encode()
    except UnicodeEncodeError:
        problem = "holds text that cannot be written as UTF-8; give other labels"
        raise InputError("data.target", problem) from None


def _check_finite(values: NDArray[Any]) -> None:
    for name, bad in (("missing or NaN", np.isnan(values)), ("infinite", np.isinf(values))):
        if bad.any():
            count = f"{int(bad.sum())} of {len(values)} values are {name}"
            raise InputError("data.target", f"{count}; remove those rows")


def _guess(values: NDArray[Any]) -> str:
    if values.dtype.kind == "U":
        return "classes"
    if values.dtype.kind == "i" and len(np.unique(values)) <= MAX_INTEGER_CLASSES:
        return "classes"
    return "regression"


def _regression(values: NDArray[Any], spec: DataSpec, task: str) -> Target:
    if values.dtype.kind == "U" and task == "regression":
        raise InputError(
            "data.task", "regression needs numbers, but the target is text; leave it at auto"
        )
    if spec.positive is not None:
        raise InputError("data.positive", "a regression has no positive label; leave it out")
    if task == "count":
        return Target("count", (), None, count_target(values))
    return Target("regression", (), None, values.astype(np.float64))


def _kind(task: str, labels: tuple[Label, ...]) -> Task:
    if task == "binary" and len(labels) != 2:
        some = ", ".join(map(repr, labels[:4]))
        raise InputError(
            "data.task",
            f"binary, but the target has {len(labels)} classes ({some}, ...); use multiclass",
        )
    if task == "multiclass":
        return "multiclass"
    if task == "ordinal":
        _check_order(labels)
        return "ordinal"
    return "binary" if len(labels) == 2 else "multiclass"


def _check_order(labels: tuple[Label, ...]) -> None:
    if any(isinstance(label, str) for label in labels):
        problem = f"ordinal needs whole numbers in their order, not text such as {labels[0]!r}"
        raise InputError("data.task", f"{problem}; write the labels as 0, 1, 2")
    if len(labels) == 2:
        raise InputError("data.task", "ordinal needs three labels or more; use binary for two")


def _positive(spec: DataSpec, task: Task, labels: tuple[Label, ...]) -> Label | None:
    if task != "binary":
        if spec.positive is not None:
            raise InputError(
                "data.positive", f"only binary tasks have one, not {task}; leave it out"
            )
        return None
    if spec.positive is None:
        return labels[1]
    label = find_label(spec.positive, labels)
    if label is not None:
        return label
    choices = " or ".join(map(repr, labels))
    raise InputError("data.positive", f"no label {spec.positive!r}; use {choices}")
