"""Splitters and index pairs given as `cv`: settings where they say the same, else kept objects."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.user_code.objects.kept_objects import describe_by_parts, keep

PAIRS = "pairs"  # what index pairs are called
DEFAULT_TEST_SIZE = 0.1  # of scikit-learn's shuffle splits
PARTS, REPEATS, SIZE = ("n_splits", "shuffle"), ("n_splits", "n_repeats"), ("n_splits", "test_size")
# The method of each class of scikit-learn's, and those of its arguments that are settings.
SETTINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "KFold": ("kfold", PARTS),
    "StratifiedKFold": ("stratified_kfold", PARTS),
    "GroupKFold": ("group_kfold", PARTS),
    "StratifiedGroupKFold": ("stratified_group_kfold", PARTS),
    "RepeatedKFold": ("kfold", REPEATS),
    "RepeatedStratifiedKFold": ("stratified_kfold", REPEATS),
    "LeaveOneOut": ("leave_one_out", ()),
    "ShuffleSplit": ("shuffle_split", SIZE),
    "StratifiedShuffleSplit": ("stratified_shuffle_split", SIZE),
}


def split_of(cv: Any) -> dict[str, Any]:
    """Return the split settings that a splitter object or index pairs stand for.

    scikit-learn's own splitters become settings wherever these make the same folds. Anything
    else is kept in this process under a name with its digest.

    Args:
        cv: has a method `split`, or yields pairs of training and test rows.

    Raises:
        InputError: it is none of that.
    """
    if hasattr(cv, "split") and not isinstance(cv, str):
        return _in_settings(cv) or {"method": keep(_label(cv), cv, describe_by_parts(cv))}
    if not isinstance(cv, Iterable) or isinstance(cv, str | bytes | Mapping):
        remedy = "give a number of folds, a splitter, or pairs of row numbers"
        raise InputError("cv", f"{cv!r} makes no folds; {remedy}")
    pairs = [_pair(number, made) for number, made in enumerate(cv)]
    if not pairs:
        raise InputError(
            "cv", "has no pairs of row numbers; an iterator is used up by its first use"
        )
    return {"method": keep(PAIRS, pairs, describe_by_parts(pairs))}


def _label(cv: Any) -> str:
    """Return what a splitter is called: by its class alone if that is scikit-learn's."""
    kind = type(cv)
    return kind.__name__ if _is_known(kind) else f"{kind.__module__}.{kind.__name__}"


def _is_known(kind: type) -> bool:
    return kind.__module__.startswith("sklearn.model_selection.")


def _pair(number: int, made: Any) -> tuple[Any, Any]:
    try:
        train, test = made
        return np.asarray(train), np.asarray(test)
    except (TypeError, ValueError):
        problem = f"fold {number} is no pair of training and test rows; give two arrays each"
        raise InputError("cv", problem) from None


def _in_settings(cv: Any) -> dict[str, Any] | None:
    """Return settings that divide as a splitter of scikit-learn's does, if there are any.

    With a random state of its own it has none: that of ours is the run's seed.
    """
    kind = type(cv)
    if _is_known(kind) and kind.__name__ == "TimeSeriesSplit":
        return _time_series(cv)
    if not _is_known(kind) or kind.__name__ not in SETTINGS:
        return None
    method, names = SETTINGS[kind.__name__]
    given = {name: _argument(cv, name) for name in names}
    if _state(kind(**given)) != _state(cv) or not isinstance(given.get("test_size", 0.1), float):
        return None
    return {"method": method, **{name: value for name, value in given.items() if value is not None}}


def _time_series(cv: Any) -> dict[str, Any]:
    names = {"n_splits": "n_splits", "test_size": "test_size", "gap": "gap"}
    names |= {"window": "max_train_size"}
    given = {setting: getattr(cv, name) for setting, name in names.items()}
    return {"method": "time_series", **{name: value for name, value in given.items() if value}}


def _argument(cv: Any, name: str) -> Any:
    """Return what a splitter was made with; repeated ones hold some of it apart."""
    value = vars(cv).get("cvargs", {}).get(name) if not hasattr(cv, name) else getattr(cv, name)
    return DEFAULT_TEST_SIZE if name == "test_size" and value is None else value


def _state(cv: Any) -> dict[str, Any]:
    state = dict(vars(cv))
    if state.get("test_size", 0) is None:
        state["test_size"] = DEFAULT_TEST_SIZE
    return state
