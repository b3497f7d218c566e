"""Unfitted estimators given as objects: what they are made of, and a clone for each fold.

An estimator counts by its class and its parameters, as `sklearn.base.clone` has it: what it has
learnt is nobody's.
"""

from typing import Any

from foldproof.tasks.user_code.objects.fingerprint import identify, is_sent_by_value, modules_in


class Clones:
    """A builder that returns a clone of an estimator each time it is called."""

    def __init__(self, estimator: Any) -> None:
        """Keep a clone, so that what becomes of the user's own does not matter."""
        from sklearn.base import clone

        self.estimator = clone(estimator)

    def __call__(self, **params: Any) -> Any:
        """Return a clone with some parameters set."""
        from sklearn.base import clone

        return clone(self.estimator).set_params(**params)


def is_estimator(value: Any) -> bool:
    """Return whether an object is an estimator in scikit-learn's sense; a class is none."""
    if isinstance(value, type):
        return False
    return all(callable(getattr(value, name, None)) for name in ("fit", "get_params"))


def describe(value: Any) -> Any:
    """Describe an estimator, or a parameter of one, by content as plain JSON.

    Raises:
        InputError: a parameter cannot be told from another one.
    """
    if is_estimator(value):
        kind = type(value)
        named = (
            identify(kind) if is_sent_by_value(kind) else f"{kind.__module__}:{kind.__qualname__}"
        )
        params = value.get_params(deep=False)
        return {"class": named, "params": {name: describe(params[name]) for name in sorted(params)}}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [describe(item) for item in value]}
    return identify(value)


def modules_behind(value: Any) -> set[str]:
    """Return the modules that an estimator and its parameters come from."""
    if is_estimator(value):
        params = value.get_params(deep=False).values()
        own = modules_in(type(value)) if is_sent_by_value(type(value)) else {type(value).__module__}
        return own.union(*map(modules_behind, params))
    if isinstance(value, list | tuple):
        return set().union(*map(modules_behind, value))
    return modules_in(value)
