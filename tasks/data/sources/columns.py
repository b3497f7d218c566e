"""Find the columns that settings name, tolerant of case, Unicode forms and blanks."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.messages import as_list, typed_list
from foldproof.tasks.data.labels import words_of

LISTS = ("data.drop", "data.features", "data.target")
ALSO_AN_ID = ("data.groups", "data.time")  # a column of these may name the rows as well


@dataclass(frozen=True)
class Roles:
    """The role of each column, by its exact name in the table.

    Attributes:
        taken: the column of each setting that names one.
        targets: the columns to predict; one, or several.
        drop: what is left out.
        features: what was listed, or None.
        inputs: the columns of each input of a model with several, or None.
    """

    taken: dict[str, str]
    targets: tuple[str, ...]
    drop: tuple[str, ...]
    features: tuple[str, ...] | None
    inputs: dict[str, list[str]] | None = None

    @property
    def settings(self) -> dict[str, object]:
        """The data settings with the names as the table has them."""
        sides = ("groups", "weights", "time", "id")
        return {
            "target": self.targets[0] if len(self.targets) == 1 else list(self.targets),
            **{side: self.taken.get(f"data.{side}") for side in sides},
            "drop": list(self.drop),
            "features": None if self.features is None else list(self.features),
            "inputs": self.inputs,
        }


def find_roles(
    names: Sequence[str], targets: Sequence[str], spec: DataSpec, fold_column: str | None
) -> Roles:
    """Find every column named in the settings, and check that none has two roles.

    Args:
        names: the table's columns.
        targets: the columns to predict.
        spec: the data settings.
        fold_column: the column of a predefined split, or None.

    Raises:
        InputError: there is no such column, or it has two roles.
    """
    given = {
        "data.groups": spec.groups,
        "data.weights": spec.weights,
        "data.time": spec.time,
        "data.id": spec.id,
        "split.fold_column": fold_column,
    }
    taken = {
        setting: find_column(setting, name, names)
        for setting, name in given.items()
        if name is not None
    }
    predicted = tuple(find_column("data.target", name, names) for name in targets)
    drop = tuple(find_column("data.drop", name, names) for name in spec.drop)
    listed = None
    if spec.features is not None:
        listed = tuple(find_column("data.features", name, names) for name in spec.features)
    roles = Roles(taken, predicted, drop, listed, _inputs(names, spec))
    _refuse_two_roles(roles)
    return roles


def _inputs(names: Sequence[str], spec: DataSpec) -> dict[str, list[str]] | None:
    if spec.inputs is None:
        return None
    return {
        name: [find_column(f"data.inputs.{name}", column, names) for column in columns]
        for name, columns in spec.inputs.items()
    }


def find_column(setting: str, name: str, names: Sequence[str]) -> str:
    """Return the column that a setting names.

    A name stands for another form of itself where that is clear: the same text in another
    Unicode form or with blanks around it, the same number written otherwise, a boolean for the
    word that YAML reads as that.

    Raises:
        InputError: there is none, with the nearest one.
    """
    if name in names:
        return name
    for form in (_composed, _bare, _number):
        if len(found := _same(form, name, names)) == 1:
            return found[0]
    if len(found := words_of(name, names)) == 1:
        return found[0]
    raise InputError(setting, f"no column {name!r}; {_hint(setting, name, names)}")


def _same(form: Callable[[str], str], name: str, names: Sequence[str]) -> list[str]:
    return [other for other in names if form(other) == form(name)]


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _bare(name: str) -> str:
    return _composed(name).strip()


def _number(name: str) -> str:
    try:
        return repr(float(name))
    except ValueError:
        return f"text {name}"


def _hint(setting: str, name: str, names: Sequence[str]) -> str:
    """Return a hint on the column that was probably meant."""
    if words := words_of(name, names):
        return f"{' and '.join(map(repr, words))} could be meant; write the one in quotes"
    parts = as_list(name) if setting in LISTS else []
    if any(_same(_bare, part, names) for part in parts):
        return typed_list(setting, parts)
    near = nearest(name, names).strip()
    cased = _same(lambda text: _bare(text).casefold(), name, names)
    if len(cased) == 1:
        rest = f" {near}" if near.startswith("use") else ""
        return f"did you mean {cased[0]!r}, in another case?{rest}"
    return near + spaced(names)


def spaced(names: Sequence[str]) -> str:
    """Return a hint if the only column looks like several."""
    if len(names) > 1:
        return ""
    for mark, word in ((";", "';'"), ("\t", "tab"), ("|", "'|'"), (",", "','"), (" ", "space")):
        if mark in names[0].strip():
            return f" (if columns are divided by it, set data.csv.delimiter to {word})"
    return ""


def _refuse_two_roles(roles: Roles) -> None:
    shared = {("data.id", roles.taken.get(setting)) for setting in ALSO_AN_ID}
    named = [("data.target", name) for name in roles.targets]
    named += [item for item in roles.taken.items() if item not in shared]
    named += [("data.drop", name) for name in roles.drop]
    named += [("data.features", name) for name in roles.features or ()]
    counts = Counter(name for _, name in named)
    for name, columns in (roles.inputs or {}).items():  # one column may be of several inputs
        for column in columns:
            if counts[column]:
                other = next(setting for setting, taken in named if taken == column)
                problem = f"column {column!r} is also {other}; give it one role"
                raise InputError(f"data.inputs.{name}", problem)
    for setting, name in reversed(named):
        if counts[name] > 1:
            others = sorted({other for other, column in named if column == name} - {setting})
            also = f"is also {' and '.join(others)}" if others else "is named twice"
            raise InputError(setting, f"column {name!r} {also}; give it one role")
