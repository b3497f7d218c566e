"""The user's code that the settings of the training name: traced for keys, sent to workers."""

from typing import Any

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.import_paths import import_paths_in
from foldproof.tasks.config.named.preprocess import sampler_module
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.user_code.objects.functions import (
    dump_function,
    identity_of,
    is_function_object,
    is_registered,
    modules_of,
)
from foldproof.tasks.user_code.provenance import Provenance, trace_import, trace_module

NO_MODULES = {"__main__", "builtins"}


def trace_training(train: TrainSpec, search: list[str], into: Provenance) -> None:
    """Add the modules of all that the training's settings name, and what they import.

    Raises:
        InputError: a module cannot be found.
    """
    trace_named(train, search, into)
    for setting, reference in _functions(train).items():
        for module in sorted(modules_of(reference) - NO_MODULES):
            trace_import(setting, module, search, into)


def trace_named(train: TrainSpec, search: list[str], into: Provenance) -> None:
    """Add the modules that import paths in the training's settings name.

    Raises:
        InputError: a module cannot be found.
    """
    for setting, reference in import_paths_in(train, "train").items():
        if not is_function_object(reference):
            trace_module(setting, reference.partition(":")[0], search, into)
    if train.sampler is not None:
        trace_module("train.sampler", sampler_module(train.sampler), search, into)


def described_functions(train: TrainSpec) -> dict[str, Any]:
    """Return what the functions given in Python are made of, for a key; empty without any."""
    made = {name: identity_of(name) for name in _functions(train).values()}
    return {"functions": made} if made else {}


def sent_functions(train: TrainSpec) -> tuple[tuple[str, bytes], ...]:
    """Return the functions given in Python by value, for workers."""
    return tuple((name, dump_function(name)) for name in sorted(set(_functions(train).values())))


def modules_of_functions(train: TrainSpec) -> set[str]:
    """Return the modules that a worker needs to unpickle the functions given in Python."""
    return set[str]().union(*map(modules_of, _functions(train).values())) - NO_MODULES


def _functions(train: TrainSpec) -> dict[str, str]:
    """Return the names of functions given in Python, by their settings.

    Raises:
        InputError: another process had one.
    """
    named = import_paths_in(train, "train")
    found = {setting: name for setting, name in named.items() if is_function_object(name)}
    for setting, name in found.items():
        if not is_registered(name):
            problem = f"{name} was a function of another process; put it in a module"
            raise InputError(setting, problem)
    return found
