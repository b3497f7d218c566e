"""The registry of builders given as Python objects: named by content, sent by value.

A function of an importable module is named `module:function` like any other. One that
lives in a script, a notebook cell or another function cannot be imported by a worker: it
is kept here under a name with its digest, and travels by value.
"""

from collections.abc import Callable
from typing import Any

from foldproof.tasks.common.digest import digest_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.user_code.objects.estimators import (
    Clones,
    describe,
    is_estimator,
    modules_behind,
)
from foldproof.tasks.user_code.objects.fingerprint import identify, is_sent_by_value, modules_in

_kept: dict[str, Callable[..., Any]] = {}


def register_function(builder: Any) -> str:
    """Return the builder setting for a function, and register it if it cannot be imported.

    An unfitted estimator stands for a function that returns clones of it.

    Raises:
        InputError: it is a model, or something that cannot be told from another one.
    """
    if is_estimator(builder):
        return _keep_estimator(builder)
    _refuse_model(builder)
    module, name = getattr(builder, "__module__", None), getattr(builder, "__qualname__", None)
    if module is None or name is None:
        raise InputError("builder", f"{builder!r} has no name; wrap it in a function")
    if not is_sent_by_value(builder):
        return f"{module}:{name}"
    key = f"{module}:{name}@{digest_json(identify(builder))[:8]}"
    _kept[key] = builder
    return key


def _keep_estimator(estimator: Any) -> str:
    clones, kind = Clones(estimator), type(estimator)
    key = f"{kind.__module__}:{kind.__qualname__}@{digest_json(describe(clones.estimator))[:8]}"
    _kept[key] = clones
    return key


def _refuse_model(builder: Any) -> None:
    """Refuse a Keras model: the second fold would go on from the weights of the first."""
    if not isinstance(builder, type) and hasattr(builder, "get_weights"):
        problem = "is a model with weights; give the function that builds it, so that every fold"
        raise InputError("builder", f"{problem} starts anew")


def is_function_object(name: str) -> bool:
    """Return whether a builder setting names a registered function object."""
    return "@" in name


def is_registered(name: str) -> bool:
    """Return whether a function object of this process has this name."""
    return name in _kept


def function_object(name: str) -> Callable[..., Any]:
    """Return the registered function object of a builder setting.

    Raises:
        InputError: another process made it.
    """
    if name not in _kept:
        raise InputError(
            "model.builder", f"{name} was a function of another process; put it in a module"
        )
    return _kept[name]


def dump_function(name: str) -> bytes:
    """Pickle a registered function by value, with all that it uses from its own module."""
    import cloudpickle

    return bytes(cloudpickle.dumps(function_object(name)))


def modules_of(name: str) -> set[str]:
    """Return what a kept function takes from modules, as `modules_in` does."""
    kept = function_object(name)
    return modules_behind(kept.estimator) if isinstance(kept, Clones) else modules_in(kept)


def identity_of(name: str) -> Any:
    """Return what a kept function is made of, as plain JSON for a key."""
    kept = function_object(name)
    return describe(kept.estimator) if isinstance(kept, Clones) else identify(kept)
