"""Match labels in settings to labels in the data, where YAML or JSON changed their type."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from foldproof.tasks.common.errors import InputError

Label = int | str
Name = TypeVar("Name", bound=Label)

# What YAML reads as a boolean, in any case; PyYAML leaves y and n as they are.
WORDS = {True: ("yes", "on", "true"), False: ("no", "off", "false")}


def find_label(given: Any, labels: tuple[Label, ...]) -> Label | None:
    """Return the only label that matches the given one, or None.

    The text of a label counts first; then a whole number written as a fraction, such as 1.0;
    then a boolean for the one label that YAML would have read as that boolean.

    Args:
        given: a label as a setting has it: text, a number or a boolean.
        labels: those of the data.
    """
    exact = [label for label in labels if str(label) == str(given)]
    found = exact or [label for label in labels if _is_number(given, label)]
    found = found or words_of(given, labels)
    return found[0] if len(found) == 1 else None


def words_of(given: Any, names: Iterable[Name]) -> list[Name]:
    """Return the names that YAML would have read as the boolean that is given."""
    meaning = _boolean(given)
    return [
        name for name in names if meaning is not None and str(name).casefold() in WORDS[meaning]
    ]


def weights_of(given: Mapping[str, float], labels: tuple[Label, ...]) -> dict[Label, float]:
    """Return the class weights by the data's own labels.

    Raises:
        InputError: a weight is of no label, or a label has none or two.
    """
    weights: dict[Label, float] = {}
    for name, weight in given.items():
        label = find_label(name, labels)
        if label is None:
            known = ", ".join(sorted(map(str, labels)))
            raise InputError("train.class_weight", f"no label {name!r}; use {known}")
        if label in weights:
            problem = f"label {str(label)!r} has two weights; give it one"
            raise InputError("train.class_weight", problem)
        weights[label] = weight
    for name in sorted(map(str, labels)):
        if name not in map(str, weights):
            raise InputError("train.class_weight", f"label {name!r} has no weight; give it one")
    return weights


def _is_number(given: Any, label: Label) -> bool:
    """Return whether a number, or its text, is that of a whole label."""
    if isinstance(given, bool) or not isinstance(label, int):
        return False
    try:
        return float(given) == label
    except ValueError:
        return False


def _boolean(given: Any) -> bool | None:
    if isinstance(given, bool):
        return given
    return {"true": True, "false": False}.get(str(given).casefold())
