"""The user's own preprocessing: a transformer by import path or by value, or a list of steps."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import error_line, nearest
from foldproof.tasks.config.named.preprocess import Part, Step
from foldproof.tasks.folds.preprocess import ColumnOutcome, PreprocessCall
from foldproof.tasks.training.preprocessing.auto import column_kind
from foldproof.tasks.training.seeding import seed_estimator, seed_everything
from foldproof.tasks.user_code.named_parts import import_named, make_named
from foldproof.tasks.user_code.search_path import extend_path

SETTING = "data.preprocess"
# Where a transformer without a module is looked for, in scikit-learn.
MODULES = (
    *("preprocessing", "impute", "decomposition", "feature_selection", "kernel_approximation"),
    *("feature_extraction.text", "feature_extraction", "random_projection", "neural_network"),
    *("manifold", "cluster", "cross_decomposition", "discriminant_analysis"),
)


# What settings call the kinds of columns.
KINDS = {
    **{"numbers": "numeric", "booleans": "numeric", "categories": "categorical"},
    **{"texts": "text", "dates": "datetime", "times": "datetime"},
}


class Own:
    """A fitted transformer of the user's."""

    def __init__(self, transformer: Any, outcome: tuple[ColumnOutcome, ...]) -> None:
        """Keep it, with what it did."""
        self._transformer, self.outcome = transformer, outcome

    def transform(self, raw: Any, own: bool = False) -> Any:
        """Return the features of other rows."""
        return self._transformer.transform(raw)


def fit_own(call: PreprocessCall, raw: Any, targets: NDArray[Any], seed: int) -> tuple[Own, Any]:
    """Fit the user's own transformer to training rows, and return it with their features.

    Args:
        call: what to make it of.
        raw: the rows, a frame or an array.
        targets: label codes or values, (n,).
        seed: for each `random_state` that is None, and for NumPy's and Python's own.

    Raises:
        InputError: it cannot be made, or does not return a row for each row.
    """
    transformer = make_transformer(call, raw)
    seed_everything(seed, keras_loaded="keras" in sys.modules)
    if hasattr(transformer, "get_params"):
        seed_estimator(transformer, seed)
    if hasattr(transformer, "fit_transform"):
        features = transformer.fit_transform(raw, targets)
    else:
        features = transformer.fit(raw, targets).transform(raw)
    shape = np.shape(features) if not hasattr(features, "shape") else features.shape
    if not shape or shape[0] != len(raw):
        problem = f"{call.name} returns shape {tuple(shape)} for {len(raw)} rows"
        raise InputError(SETTING, f"{problem}; a transformer keeps the rows")
    return Own(transformer, tuple(_outcome(call, raw))), features


def _outcome(call: PreprocessCall, raw: Any) -> Any:
    """Yield what went into a transformer; what it made of each column is its own affair."""
    for name in getattr(raw, "columns", ()):
        kind, gaps = column_kind(raw[name].dtype), int(raw[name].isna().sum())
        yield ColumnOutcome(str(name), kind, gaps, call.name, -1)


def make_transformer(call: PreprocessCall, raw: Any) -> Any:
    """Return a fresh transformer.

    Raises:
        InputError: there is none of that name, or it cannot be made of what is given.
    """
    extend_path(call.search)
    if call.pickled:
        import cloudpickle

        return _instance(cloudpickle.loads(call.pickled), call.name)
    if isinstance(call.given, str):
        return _instance(import_named(SETTING, call.given), call.given)
    from sklearn.pipeline import make_pipeline

    parts = [item for item in call.given if isinstance(item, Part)]
    steps = [_made(item) for item in call.given if isinstance(item, Step)]
    return make_pipeline(*([_by_column(parts, raw)] if parts else []), *steps)


def _by_column(parts: Sequence[Part], raw: Any) -> Any:
    """Return a transformer of columns side by side.

    Raises:
        InputError: a part names a column that there is not, or a column is in no part.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline

    names = list(raw.columns)
    for name in (name for part in _listing(parts) for name in part.columns):
        if name not in names:
            raise InputError(SETTING, f"no column {name!r}; {nearest(name, names).strip()}")
    chosen = _columns_of(parts, raw)
    taken = {name for columns in chosen for name in columns}
    if left := [name for name in names if name not in taken]:
        problem = f"column {left[0]!r} is in no part"
        remedy = "add columns: rest with steps: drop or passthrough"
        raise InputError(SETTING, f"{problem}; {remedy}")
    made = []
    for number, (part, columns) in enumerate(zip(parts, chosen, strict=True)):
        does = part.steps if isinstance(part.steps, str) else make_pipeline(*map(_made, part.steps))
        made.append((f"part {number}", does, columns))
    return ColumnTransformer([part for part in made if part[2]], sparse_threshold=0)


def _columns_of(parts: Sequence[Part], raw: Any) -> list[list[str]]:
    """Return the columns of each part: those listed, then those of a kind, then the rest."""
    kinds = {name: KINDS[column_kind(raw[name].dtype)] for name in raw.columns}
    if not any(part.columns == "text" for part in parts):  # a text is a category, too
        kinds = {name: "categorical" if kind == "text" else kind for name, kind in kinds.items()}
    left = [
        name for name in raw.columns if not any(name in part.columns for part in _listing(parts))
    ]
    found: dict[int, list[str]] = {}
    for number in sorted(range(len(parts)), key=lambda number: parts[number].columns == "rest"):
        wanted = parts[number].columns
        if not isinstance(wanted, str):
            found[number] = list(wanted)
            continue
        found[number] = [name for name in left if wanted in ("rest", kinds[name])]
        left = [name for name in left if name not in found[number]]
    return [found[number] for number in range(len(parts))]


def _listing(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if not isinstance(part.columns, str)]


def _made(step: Step) -> Any:
    """Make the transformer of a step.

    Raises:
        InputError: there is none of that name, or it takes other parameters.
    """
    return _instance(make_named(SETTING, step.name, step.params, "sklearn", MODULES), step.name)


def _instance(found: Any, name: str) -> Any:
    """Return a fresh transformer of a class, a function that returns one, or a clone of an object.

    Raises:
        InputError: it is none.
    """
    from sklearn.base import clone

    made = None
    try:
        if hasattr(found, "fit") and not isinstance(found, type):
            made = clone(found, safe=False)
        elif callable(found):
            made = found()
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # the user's own code: anything can come out
        raise InputError(SETTING, f"{name} cannot be made ({error_line(error)})") from error
    if not hasattr(made, "transform") or not hasattr(made, "fit"):
        kind = type(found).__name__ if made is None else type(made).__name__
        problem = f"{name} is a {kind}"
        raise InputError(SETTING, f"{problem}; give a transformer, with fit and transform")
    return made
