"""Features of several inputs on disk: each in a folder of its own, as those of one input are."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.named.inputs import preprocess_of
from foldproof.tasks.data.stored_features import StoredFeatures, store_features

INPUTS = "inputs"  # the folder of their folders


def store_inputs(features: Any, spec: DataSpec, folder: Path) -> dict[str, StoredFeatures]:
    """Write the features of each input; those of the only one, without a name, into the folder.

    Args:
        features: as they were read: an array or a table, or a dict of these.
        spec: the settings, as resolved.
        folder: an existing folder.

    Raises:
        InputError: a value in them is not usable.
    """
    if not isinstance(features, dict):
        return {"": store_features(features, preprocess_of(spec.preprocess, ""), folder)}
    return {name: _store(name, each, spec, folder) for name, each in features.items()}


def _store(name: str, features: Any, spec: DataSpec, folder: Path) -> StoredFeatures:
    place = folder / INPUTS / name
    place.mkdir(parents=True, exist_ok=True)
    try:
        stored = store_features(features, preprocess_of(spec.preprocess, name), place)
    except InputError as error:
        raise InputError(f"data.inputs.{name}", error.problem) from None
    return replace(
        stored,
        digests={f"{INPUTS}/{name}/{file}": digest for file, digest in stored.digests.items()},
        columns=tuple(replace(each, name=f"{name}.{each.name}") for each in stored.columns),
        merged=tuple(replace(each, name=f"{name}.{each.name}") for each in stored.merged),
    )


def feature_names(features: Any) -> tuple[str, ...]:
    """Return the names of features that stand side by side, where there are any.

    Args:
        features: as in `store_inputs`. Those of an array of more than two axes have none.
    """
    if not isinstance(features, dict):
        return tuple(getattr(features, "column_names", ()))  # of a table, also on disk
    if any(len(each.shape) > 2 for each in features.values()):
        return ()
    return tuple(f"{name}.{each}" for name, part in features.items() for each in _names(part))


def _names(part: Any) -> tuple[str, ...]:
    is_table = isinstance(part, pa.Table)
    return tuple(part.column_names if is_table else map(str, range(part.shape[1])))
