"""What identifies the model of a run in keys: its sources, versions, parameters and files."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from foldproof.tasks.config.model import ModelSpec
from foldproof.tasks.config.named.inputs import Preprocessing
from foldproof.tasks.config.named.preprocess import references_in, words_in
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.folds.training_code import described_functions, trace_training
from foldproof.tasks.user_code.objects.functions import (
    identity_of,
    is_function_object,
    modules_of,
)
from foldproof.tasks.user_code.provenance import Provenance, trace_import, trace_module
from foldproof.tasks.user_code.references import BUILT_IN
from foldproof.tasks.user_code.search_path import import_folders

# An import of these alone needs no TensorFlow, which takes seconds to start.
LIGHT = {"numpy", "scipy", "scikit-learn", "pandas", "joblib", "pyarrow"}
HEAVY = {"tensorflow", "keras"}  # of what training names: what it loads has to be set up before


@dataclass(frozen=True)
class ModelIdentity:
    """All that identifies the model of a run: sources, versions, parameters, files.

    Attributes:
        described: sources, versions and parameters, for the keys.
        needs_tensorflow: workers must load it.
        notices: what the user should be told.
        files: path and SHA-256 of each file that its builder opens, as they were opened.
    """

    described: dict[str, Any]
    needs_tensorflow: bool
    notices: tuple[str, ...]
    files: tuple[tuple[str, str], ...] = ()

    def with_files(self, files: tuple[tuple[str, str], ...]) -> "ModelIdentity":
        """Return the same with the files that the builder opens; they count by content."""
        content = _described_files([digest for _, digest in files])
        return replace(self, described=self.described | content, files=files)


def identify_model(
    model: ModelSpec,
    train: TrainSpec,
    preprocess: Preprocessing = "auto",
    tell: Callable[[str], None] = lambda text: None,
) -> ModelIdentity:
    """Identify the model by tracing all user code that a fold runs, without running any of it.

    Args:
        model: names the builder.
        train: names the scaler, callbacks and so on.
        preprocess: names transformers.
        tell: is told of it now and then where that takes long.

    Raises:
        InputError: a module cannot be found.
    """
    found, search = Provenance(tell=tell), list(import_folders())
    function = None
    if is_function_object(model.builder):
        function = identity_of(model.builder)
        _trace_object("model.builder", model.builder, search, found)
    else:
        trace_module("model.builder", model.builder.partition(":")[0], search, found)
    heavy = bool(found.distributions.keys() - LIGHT) or _ours_need_it(found)
    trace_training(train, search, found)
    own = [word for word in words_in(preprocess) if is_function_object(word)]
    for name in own:
        _trace_object("data.preprocess", name, search, found)
    for reference in references_in(preprocess):
        trace_module("data.preprocess", reference.partition(":")[0], search, found)
    heavy = heavy or bool(found.distributions.keys() & HEAVY)
    described = {"builder": model.builder, "params": model.params, "function": function}
    described |= _described_objects(own, isinstance(preprocess, dict))
    described |= described_functions(train)
    described |= found.described() | _described_files([])
    return ModelIdentity(described, heavy, tuple(found.notices))


def _described_objects(names: list[str], of_inputs: bool) -> dict[str, Any]:
    """Return what transformers given in Python are made of: the only one, or by their names."""
    if not names:
        return {}
    made = {name: identity_of(name) for name in names}
    return {"preprocess": made if of_inputs else made[names[0]]}


def _trace_object(setting: str, name: str, search: list[str], found: Provenance) -> None:
    for module in sorted(modules_of(name) - {"__main__", "builtins"}):
        trace_import(setting, module, search, found)


def _described_files(digests: list[str]) -> dict[str, Any]:
    """Return the files' digests, sorted, and in which order the builder opens them."""
    names = sorted(set(digests))
    return {"files": names, "opened": [names.index(digest) for digest in digests]}


def _ours_need_it(found: Provenance) -> bool:
    return BUILT_IN in found.sources
