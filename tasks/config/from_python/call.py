"""The arguments of `cross_validate(model, X, y, cv=5)` as settings.

They are scikit-learn's where these mean the same. The sections of the settings stand beside
them: what is said twice must be the same.
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import nearest
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.from_python.scorer_objects import metrics_of
from foldproof.tasks.config.from_python.splitter_objects import split_of
from foldproof.tasks.config.in_memory.frames import is_frame, take_column
from foldproof.tasks.config.in_memory.streams import refuse_stream
from foldproof.tasks.config.study import Study
from foldproof.tasks.config.types import Section

POSITIONAL = ("model", "X", "y")
FOLDS, EPOCHS, SEED = 10, 50, 1337  # the defaults, which say nothing
ELSEWHERE = {  # what has another name here
    "n_jobs": "compute={'workers': 2}",
    "random_state": "seed=1337",
    "estimator": "model=...",
    "sample_weight": "weights=...",
    "ids": "id=...",
    "times": "time=...",
    "fit_params": "train={...}",
    "params": "model={'builder': build, 'params': {...}}",
    "folds": "cv=10",
    "n_splits": "cv=10",
    "return_estimator": "nothing: models are not kept",
    "return_train_score": "nothing: training rows are not scored",
    "error_score": "nothing: a failed fold is named in the report",
    "verbose": "nothing: progress is shown",
}
SHORT = {"data": "source", "model": "builder"}  # what stands for a whole section


def settings_of_call(
    model: Any = None,
    X: Any = None,
    y: Any = None,
    *further: Any,
    groups: Any = None,
    weights: Any = None,
    time: Any = None,
    id: Any = None,
    target: str | list[str] | None = None,
    cv: Any = FOLDS,
    scoring: Any = None,
    preprocess: Any = None,
    epochs: int = EPOCHS,
    seed: int = SEED,
    data: Any = None,
    split: Any = None,
    train: Any = None,
    metrics: Any = None,
    compute: Any = None,
    report: Any = None,
    out: Any = None,
    name: str | None = None,
    more: Any = None,
    **unknown: Any,
) -> dict[str, Any]:
    """Return the settings that a call in Python means.

    Raises:
        InputError: an argument is unknown, wrong, or says something else than a section.
    """
    for other in unknown:
        raise InputError(other, f"unknown argument; {_meant(other)}")
    if further:
        raise InputError("arguments", "only model, X and y go without a name; name the others")
    settings: dict[str, Any] = {
        "model": _model(model),
        "data": _with_preprocess(
            _data(data, X, y, target, groups=groups, weights=weights, time=time, id=id),
            preprocess,
        ),
        "split": split if _is_default(cv, FOLDS) else _over("cv", "split", split, _split(cv)),
        "train": train if epochs == EPOCHS else _over("epochs", "train", train, {"epochs": epochs}),
        "metrics": _named_metrics(metrics) if scoring is None else _metrics(scoring, metrics),
        "compute": compute,
        "report": report,
        "seed": None if seed == SEED else seed,
        "out": out,
        "name": name,
        "more": more,
    }
    return {setting: value for setting, value in settings.items() if value is not None}


def arranged(
    positional: tuple[Any, ...], named: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call in today's order; in 0.1.0, the data went first.

    Raises:
        InputError: an argument is given twice.
    """
    if positional and isinstance(positional[0], DataSpec) and "data" not in named:
        positional, named = positional[1:], {**named, "data": positional[0]}
    for name, _ in zip(POSITIONAL, positional, strict=False):
        if name in named:
            raise InputError(name, "given twice, with and without its name; leave one out")
    return positional, named


def _is_default(value: Any, default: Any) -> bool:
    return value is None or (type(value) is type(default) and bool(value == default))


def _model(model: Any) -> Any:
    if is_frame(model) or isinstance(model, np.ndarray):
        remedy = "the order is model, X, y, or name them: data=..."
        raise InputError("model", f"is {_article(model)}; {remedy}")
    return model


def _data(data: Any, X: Any, y: Any, target: str | list[str] | None, **sides: Any) -> Any:
    """Return the data section: of arrays, of a frame, or as it was given."""
    refuse_stream("X", X)
    if isinstance(data, tuple) and len(data) in (len("Xy"), len("Xyg")) and X is None:
        data, (X, y, *rest) = None, data
        sides["groups"] = rest[0] if rest else sides["groups"]
    if X is None:
        if y is not None:
            raise InputError("X", "missing; give the features that y belongs to")
        roles = {"target": target, **sides}
        return _with_roles(data, {name: role for name, role in roles.items() if role is not None})
    if is_frame(X) and (isinstance(y, str) or (y is None and target is not None)):
        whole = _over("X", "data", data, {"source": X})
        return _data(whole, None, None, y or target, **sides)
    if y is None:
        remedy = "give one value a row, or the name of a column if X is a frame"
        raise InputError("y", f"missing; {remedy}")
    if target is not None:
        raise InputError("target", "y says it; leave one of the two out")
    return _from_arrays(data, X, y, sides)


def _from_arrays(data: Any, X: Any, y: Any, sides: dict[str, Any]) -> DataSpec:
    rest = _plain("data", data)
    if clash := rest.keys() - {"task", "positive"}:
        raise InputError(f"data.{min(clash)}", "X and y say what is learned from; leave it out")
    taken: dict[str, Any] = {}  # a column may have two uses
    for name, side in sides.items():
        if isinstance(side, str):
            if not is_frame(X):
                raise InputError(name, "arrays have no columns; give one value a row")
            if side not in taken:
                X, taken[side] = take_column(X, side, name)
            sides[name] = taken[side]
    return DataSpec.from_arrays(X, y, **sides, **rest)


def _with_preprocess(data: Any, preprocess: Any) -> Any:
    """Return the data section with what is fitted to features in each fold."""
    if preprocess is None:
        return data
    if isinstance(data, DataSpec):
        return data.with_preprocess(preprocess)
    return _over("preprocess", "data", data, {"preprocess": preprocess})


def _with_roles(data: Any, roles: dict[str, Any]) -> Any:
    """Return the data section with columns named beside it."""
    if not roles:
        return data
    for name, role in roles.items():
        named = role if name == "target" and isinstance(role, list | tuple) else [role]
        if not all(isinstance(one, str | int) for one in named):
            problem = "is no name of a column of data"
            raise InputError(name, f"{problem}; give X and y beside an array, or a name")
    return _over("target", "data", data, roles)


def _split(cv: Any) -> dict[str, Any]:
    if isinstance(cv, int | np.integer) and not isinstance(cv, bool):
        return {"n_splits": int(cv)}
    return split_of(cv)


def _metrics(scoring: Any, metrics: Any) -> Any:
    if metrics is not None:
        raise InputError("scoring", "metrics says the same; leave one of the two out")
    return metrics_of(scoring)


def _named_metrics(metrics: Any) -> Any:
    """Return metrics by name; functions among them are taken as those of `scoring` are."""
    several = metrics if isinstance(metrics, list | tuple) else [metrics]
    return metrics_of(metrics) if any(map(callable, several)) else metrics


def _plain(section: str, value: Any) -> dict[str, Any]:
    """Return a section as a mapping; what stands for its first field is that."""
    if value is None:
        return {}
    if isinstance(value, Section):
        return value.model_dump(exclude_unset=True)
    if isinstance(value, Mapping):
        return dict(value)
    if section in SHORT:
        return {SHORT[section]: value}
    example = {"split": "cv=5", "train": "epochs=20"}.get(section, f"{section}={{...}}")
    raise InputError(section, f"must be a mapping of names to values, such as {example}")


def _over(argument: str, section: str, value: Any, said: Mapping[str, Any]) -> dict[str, Any]:
    """Lay what an argument says over a section, which must not say something else."""
    plain = _plain(section, value)
    for name, one in said.items():
        if name in plain and not _is_same(plain[name], one):
            problem = f"{plain[name]!r} clashes with {argument}"
            raise InputError(f"{section}.{name}", f"{problem}; say it once")
    return {**plain, **said}


def _is_same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, str | int | float) and bool(one == other))


def _meant(name: str) -> str:
    """Say what to write for an argument that there is not."""
    if name in ELSEWHERE:
        there = ELSEWHERE[name]
        return f"there is {there}" if there.startswith("nothing") else f"write {there}"
    sections = {field: section for section, field in _fields()}
    close = difflib.get_close_matches(name, (*POSITIONAL, *ARGUMENTS, *sections), n=1)
    if close and close[0] in sections and close[0] not in ARGUMENTS:
        return f"write {sections[close[0]]}={{{close[0]!r}: ...}}"
    return nearest(name, (*POSITIONAL, *ARGUMENTS)).strip()


def _fields() -> Iterator[tuple[str, str]]:
    """Yield every section with every name in it."""
    for section, field in Study.model_fields.items():
        if isinstance(field.default, Section):
            yield from ((section, name) for name in type(field.default).model_fields)


def _article(value: Any) -> str:
    return {"ndarray": "an array", "DataSpec": "data"}.get(type(value).__name__, "a data frame")


ARGUMENTS = tuple(settings_of_call.__kwdefaults__ or {})
