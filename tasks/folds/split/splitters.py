"""scikit-learn's splitters by the names of the configuration, and the user's own."""

import copy
import inspect
from typing import Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.split import METHODS, SHUFFLE_SPLITS, SplitSpec
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.user_code.named_parts import import_named
from foldproof.tasks.user_code.objects.functions import is_function_object
from foldproof.tasks.user_code.objects.kept_objects import kept_object

CLASSES = {
    "kfold": "KFold",
    "stratified_kfold": "StratifiedKFold",
    "group_kfold": "GroupKFold",
    "stratified_group_kfold": "StratifiedGroupKFold",
    "time_series": "TimeSeriesSplit",
    "leave_one_out": "LeaveOneOut",
    "shuffle_split": "ShuffleSplit",
    "stratified_shuffle_split": "StratifiedShuffleSplit",
}
KINDS = {name: method for method, name in CLASSES.items()} | {
    "RepeatedKFold": "shuffle_split",  # each row is tested several times
    "RepeatedStratifiedKFold": "stratified_shuffle_split",
}
PARTITIONS = (*METHODS[1:5], "leave_one_out", "predefined")
EXCHANGEABLE = (*METHODS[1:5], *SHUFFLE_SPLITS, "leave_one_out", "predefined")


def is_each_row_tested_once(method: str, repeats: int) -> bool:
    """Return whether every row is a test row of exactly one fold."""
    return method in PARTITIONS and repeats == 1


def resolve_method(spec: SplitSpec, dataset: Dataset) -> str:
    """Resolve the split method `auto`, and check that the method fits the data.

    Raises:
        InputError: the method does not fit the data.
    """
    if is_function_object(spec.method):
        return spec.method
    classes = bool(dataset.labels)
    grouped = dataset.settings.groups is not None
    if spec.is_in_time(dataset.settings.time):
        return _in_time(spec)
    timed = dataset.settings.time is not None
    if timed and spec.method in METHODS and spec.method != "predefined":
        problem = f"{spec.method} would train on later times than it tests"
        raise InputError("split.method", f"{problem}; use time_series, or leave data.time out")
    if spec.method == "auto":
        method = ("stratified_" if classes else "") + ("group_kfold" if grouped else "kfold")
        return method
    if spec.method.startswith("stratified") and not classes:
        given = "several labels a row" if dataset.task == "multilabel" else "numbers"
        raise InputError("split.method", f"{spec.method} needs classes, not {given}; use kfold")
    if "group" in spec.method and not grouped:
        raise InputError("data.groups", f"missing; {spec.method} needs the column of the groups")
    may_split = spec.method in METHODS and "group" not in spec.method
    if grouped and may_split and spec.method != "predefined":  # those are checked as they are
        remedy = "use group_kfold or stratified_group_kfold, or leave data.groups out"
        raise InputError("split.method", f"{spec.method} would split groups; {remedy}")
    return spec.method


def _in_time(spec: SplitSpec) -> str:
    if spec.n_repeats > 1:
        raise InputError("split.n_repeats", "time_series is the same every time; set it to 1")
    return "time_series"


def is_user_splitter(method: str) -> bool:
    """Return whether a split method is user code that another process can import."""
    module, _, name = method.partition(":")
    return bool(name) and module != "__main__" and not is_function_object(method)


def base_method(method: str) -> str:
    """Return the method that a splitter object of scikit-learn's is one of, or the name given."""
    return KINDS.get(method.partition("@")[0], method) if is_function_object(method) else method


def make_splitter(spec: SplitSpec, method: str, seed: int) -> Any:
    """Return the splitter of one repeat.

    Args:
        spec: the split settings.
        method: the resolved method, not predefined.
        seed: `seed + repeat`, for splitters that shuffle.

    Raises:
        InputError: an own splitter cannot be imported or made.
    """
    if is_function_object(method):
        return _kept_splitter(method, seed)
    if method in CLASSES:
        from sklearn import model_selection

        splitter = getattr(model_selection, CLASSES[method])
    else:
        splitter = import_named("split.method", method)
    return _construct(spec, splitter, method, seed)


def _kept_splitter(method: str, seed: int) -> Any:
    """Return a splitter object; where it has a random state and that is None, the seed is set."""
    splitter = kept_object("split.method", method)
    if getattr(splitter, "random_state", seed) is None:
        splitter = copy.copy(splitter)
        splitter.random_state = seed
    return splitter


def _construct(spec: SplitSpec, splitter: Any, method: str, seed: int) -> Any:
    takes = set(inspect.signature(splitter).parameters)
    offered: dict[str, Any] = {"n_splits": spec.n_splits}
    if spec.shuffle:
        offered |= {"shuffle": True, "random_state": seed}
    if "shuffle" not in takes:
        offered |= {"random_state": seed, "test_size": spec.test_size}
    given = {name: value for name, value in offered.items() if name in takes}
    if spec.n_repeats > 1 and "random_state" not in given:
        raise InputError("split.n_repeats", f"{method} takes no random_state; set it to 1")
    try:
        return splitter(**given)
    except (Exception, SystemExit) as error:  # the user's own class: anything can come out
        reason = " ".join(str(error).split()) or type(error).__name__
        remedy = "give its arguments defaults"
        raise InputError("split.method", f"{method} cannot be made ({reason}); {remedy}") from None
