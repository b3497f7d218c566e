"""Check that a model's inputs are those of the data, by their names and shapes."""

from collections.abc import Mapping, Sequence
from typing import Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.inputs import Shape, shown_shapes


def inputs_of(model: Any) -> list[Any]:
    """Return the symbolic inputs of a model; a subclassed one has none."""
    try:
        return list(model.inputs or [])
    except (AttributeError, ValueError):
        return []


def check_names(model: Any, names: Sequence[str]) -> None:
    """Refuse data whose inputs are not those of the model; a subclassed one may take any.

    Raises:
        InputError: with the names of both.
    """
    known = list(_by_name(model))
    if not known or set(known) == set(names):
        return
    remedy = "give both the same names, as in keras.Input(shape, name=...)"
    problem = f"are {', '.join(names)}, but the model's are {', '.join(known)}"
    raise InputError("data.inputs", f"{problem}; {remedy}")


def misfit(model: Any, shapes: Mapping[str, Shape]) -> str:
    """Return which input of a model takes another shape than the data has, or nothing."""
    for name, each in _by_name(model).items():
        takes = tuple(each.shape[1:])
        if takes != shapes[name]:
            problem = f"input {name} of the model takes samples of shape ({shown_shapes(takes)})"
            remedy = "let the builder take input_shapes, and hand each to its Input"
            return f"{problem}, but the data's is ({shown_shapes(shapes[name])}); {remedy}"
    return ""


def _by_name(model: Any) -> dict[str, Any]:
    """Return the symbolic inputs of a model by the names that data is handed to them."""
    inputs = inputs_of(model)
    given = getattr(model, "input", None) if inputs else None
    if isinstance(given, Mapping):  # its own keys count, however the inputs are called
        return dict(given)
    return {str(each.name): each for each in inputs}
