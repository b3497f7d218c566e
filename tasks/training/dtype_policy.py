"""Keep the dtype policy that a user's module sets when it is imported, such as mixed_float16.

Keras forgets it whenever its session is cleared, which is done before every model. What a builder
sets itself counts for its own model anyway. Runs in workers only.
"""

import sys
from collections.abc import Callable
from typing import Any

from foldproof.tasks.user_code.builder import load_builder
from foldproof.tasks.user_code.builder_call import BuilderCall

USUAL = "float32"

_of_module: dict[str, Any] = {}  # what a builder's module set while it was imported
_in_force: list[Any] = []  # of the builder in hand; empty where it is the usual one


def load_with_policy(call: BuilderCall) -> Callable[..., Any]:
    """Import a builder, and put the dtype policy of its module in force for its models.

    Raises:
        InputError: as `load_builder`.
    """
    module = call.reference.partition(":")[0]
    if module not in _of_module:
        _set(USUAL)  # a builder before may have left another
        builder = load_builder(call)
        _of_module[module] = _now()
    else:
        builder = load_builder(call)
    known = _of_module[module]
    _in_force[:] = [] if known in (None, USUAL) else [known]
    return builder


def restore_policy() -> None:
    """Set the policy of the builder in hand again, after Keras's session was cleared."""
    for policy in _in_force:
        _set(policy)


def _set(policy: Any) -> None:
    if keras := sys.modules.get("keras"):
        keras.config.set_dtype_policy(policy)


def _now() -> Any:
    keras = sys.modules.get("keras")
    return None if keras is None else keras.config.dtype_policy().name
