"""Digests of the code that a fold runs, to compare a node with the flow's process."""

from collections.abc import Sequence
from functools import cache

from foldproof.tasks.common.digest import digest_file
from foldproof.tasks.common.places import ROOT
from foldproof.tasks.config.model import ModelSpec
from foldproof.tasks.config.named.inputs import Preprocessing
from foldproof.tasks.config.named.preprocess import references_in, words_in
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.folds.training_code import modules_of_functions, trace_named
from foldproof.tasks.user_code.objects.functions import is_function_object, modules_of
from foldproof.tasks.user_code.provenance import Provenance, trace_import, trace_module

OWN = {"__main__", "builtins"}


def modules_to_have(
    model: ModelSpec, train: TrainSpec, preprocess: Preprocessing
) -> tuple[str, ...]:
    """Return the modules that a node needs to unpickle functions and objects sent by value."""
    names = [model.builder, *words_in(preprocess)]
    needed = [modules_of(name) for name in names if is_function_object(name)]
    return tuple(sorted(modules_of_functions(train).union(*needed) - OWN))


def code_here(
    model: ModelSpec,
    train: TrainSpec,
    preprocess: Preprocessing,
    modules: Sequence[str],
    search: Sequence[str],
) -> dict[str, str]:
    """Return the digest or version of each module that a fold imports, as found on this machine.

    Args:
        model: names the builder.
        train: names scaler, sampler, callbacks and so on.
        preprocess: names transformers.
        modules: as from `modules_to_have`.
        search: the folders to look in first.

    Raises:
        InputError: a module is not here.
    """
    found, folders = Provenance(), list(search)
    for module in modules:
        trace_import("model.builder", module, folders, found)
    if not is_function_object(model.builder):
        trace_module("model.builder", model.builder.partition(":")[0], folders, found)
    trace_named(train, folders, found)
    for reference in references_in(preprocess):
        trace_module("data.preprocess", reference.partition(":")[0], folders, found)
    return found.sources | found.distributions | _foldproof()


@cache
def _foldproof() -> dict[str, str]:
    """Return the digests of foldproof's files: one version may be modified on one machine."""
    files = sorted((ROOT / "tasks").rglob("*.py"))
    return {f"foldproof {path.relative_to(ROOT)}": digest_file(path) for path in files}
