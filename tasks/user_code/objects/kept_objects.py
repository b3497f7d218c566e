"""Splitters and scorers given as Python objects: settings name them, this process keeps them.

A name holds the digest of what the object is made of, so that it says the same in every process
that is given the same object. Settings from elsewhere find nothing under it.
"""

from typing import Any

from foldproof.tasks.common.digest import digest_json
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.user_code.objects.fingerprint import identify, is_sent_by_value
from foldproof.tasks.user_code.objects.functions import is_function_object

_kept: dict[str, Any] = {}


def keep(label: str, value: Any, description: Any) -> str:
    """Keep an object and return its name.

    Args:
        label: what people call it.
        value: the object.
        description: what it is made of, as plain JSON.
    """
    name = f"{label}@{digest_json(description)[:8]}"
    _kept[name] = value
    return name


def kept_object(setting: str, name: str) -> Any:
    """Return the object of a name.

    Raises:
        InputError: another process had it.
    """
    if name not in _kept:
        problem = f"{name} was an object of another process; name something that can be imported"
        raise InputError(setting, problem)
    return _kept[name]


def describe_by_parts(value: Any) -> Any:
    """Describe an object by its class and attributes, or a function by its content."""
    if isinstance(value, type) or not hasattr(value, "__dict__") or callable_by_name(value):
        return identify(value)
    kind = type(value)
    named = identify(kind) if is_sent_by_value(kind) else f"{kind.__module__}:{kind.__qualname__}"
    parts = vars(value)
    return {"class": named, "attributes": {name: identify(parts[name]) for name in sorted(parts)}}


def callable_by_name(value: Any) -> bool:
    """Return whether a value is a function, which has a name of its own."""
    return hasattr(value, "__qualname__")


__all__ = ["callable_by_name", "describe_by_parts", "is_function_object", "keep", "kept_object"]
