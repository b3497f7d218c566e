"""The digest of a model's architecture: equal digests differ in variable values only.

What a traced step depends on: classes, configuration, variables' shapes and types, how the
model was compiled, and, for classes and functions of the user's own, everything plain that
they hold. A number that a layer drew when it was built makes two models differ.
"""

import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from foldproof.tasks.common.digest import digest_array, digest_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.training.internals.keras_internals import all_layers
from foldproof.tasks.user_code.objects.fingerprint import identify

LIBRARIES = ("keras", "tensorflow", "optree", "threading", "_thread")
MAX_DEPTH = 6  # nesting of user-defined values


def architecture(model: Any) -> str:
    """Return the digest of all that a traced training step depends on, but variable values."""
    return digest_json(
        {
            "class": _name(type(model)),
            "config": _safely(model.get_config),
            "compiled": _safely(model.get_compile_config),
            "loss": _own(getattr(model, "loss", None), 0),
            "optimizer": _own(model.optimizer, 0),
            "layers": [_layer(layer) for layer in all_layers(model)],
            "variables": [
                _variable(each) for each in (*model.variables, *model.optimizer.variables)
            ],
        }
    )


def _layer(layer: Any) -> list[Any]:
    return [_name(type(layer)), layer.name, bool(layer.trainable), _own(layer, 0)]


def _variable(variable: Any) -> list[Any]:
    return [list(variable.shape), str(variable.dtype), bool(variable.trainable)]


def _safely(describe: Callable[[], Any]) -> Any:
    """Return a configuration as plain values, or None if the class has none that works."""
    try:
        return _plain(describe(), 0)
    except Exception:  # get_config of the user's own classes may do anything
        return None


def _identity(function: types.FunctionType) -> Any:
    """Describe a function; if its parts cannot be identified, it equals itself only."""
    try:
        return identify(function)
    except InputError:
        return id(function)


def _own(value: Any, depth: int) -> Any:
    """Describe the state of a user-defined value; Keras's own classes count by their config."""
    if isinstance(value, types.FunctionType):
        return _identity(value)
    if isinstance(value, list | tuple):
        return [_own(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {str(key): _own(item, depth + 1) for key, item in value.items()}
    if value is None or isinstance(value, str) or _is_library(type(value)):
        return _name(type(value)) if value is not None else None
    return {name: _plain(held, depth) for name, held in _held(value)}


def _held(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes that the user's code set on an object, without those of Keras."""
    for name, held in sorted(vars(value).items()):
        if not _is_library(type(held)) and not _wraps_for_library(held):
            yield name, held


def _plain(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return _name(type(value))
    if isinstance(value, types.FunctionType):
        return _identity(value)
    if isinstance(value, np.ndarray):
        return digest_array(value) if value.dtype != object else value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth + 1) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | complex | bytes | np.generic):
        return repr(value)
    if _is_library(type(value)) or not hasattr(value, "__dict__"):
        return _name(type(value))
    return {name: _plain(held, depth + 1) for name, held in _held(value)}


def _wraps_for_library(value: Any) -> bool:
    """Return whether a function is one of Keras's wrappers around layer methods."""
    scope = getattr(value, "__globals__", {}).get("__name__", "")
    return str(scope).split(".")[0] in LIBRARIES


def _is_library(cls: type) -> bool:
    return cls.__module__.split(".")[0] in LIBRARIES


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
