"""Arrays for the inputs of a model with several: each by its name, all with the same rows."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest
from foldproof.tasks.config.data import DataSpec

OTHER_ROLES = {
    "y": "is the target",
    "groups": "holds the groups",
    "weights": "holds the weights",
}


def arrays_of_inputs(found: Mapping[str, Any], spec: DataSpec) -> dict[str, Any]:
    """Return the array of each input; one value a row becomes a feature.

    Args:
        found: arrays, or tables, by name.
        spec: the settings, with inputs.

    Raises:
        InputError: there is no such array, it has another role, or it has other rows.
    """
    taken = OTHER_ROLES | {
        name: f"is data.{role}"
        for role, name in (("time", spec.time), ("id", spec.id))
        if name is not None
    }
    features: dict[str, Any] = {}
    for name, arrays in (spec.inputs or {}).items():
        setting, array = f"data.inputs.{name}", arrays[0]
        if len(arrays) > 1:
            problem = "an input of arrays is one array; save what belongs together as one"
            raise InputError(setting, problem)
        if array in taken:
            raise InputError(setting, f"{array!r} {taken[array]}; give it one role")
        if array not in found:
            known = [each for each in found if each not in taken]
            hint = nearest(array, known).strip() if known else "save it with numpy.savez"
            raise InputError(setting, f"no array {array!r}; {hint}")
        features[name] = _with_columns(array, found[array])
    _check_rows(features)
    return features


def _with_columns(name: str, array: Any) -> Any:
    """Return one value a row as a column: a text as a table's, as there are no arrays of these."""
    if len(array.shape) != 1:
        return array
    return pa.table({name: array}) if array.dtype.kind == "U" else array.reshape(-1, 1)


def _check_rows(features: Mapping[str, Any]) -> None:
    first, rows = next((name, each.shape[:1]) for name, each in features.items())
    for name, each in features.items():
        if not each.shape or 0 in each.shape:
            raise InputError(f"data.inputs.{name}", f"is empty; its shape is {each.shape}")
        if each.shape[:1] != rows:
            problem = f"has {each.shape[0]} rows, but {first} has {rows[0]}"
            raise InputError(f"data.inputs.{name}", f"{problem}; give one a sample in each")
