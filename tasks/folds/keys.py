"""The keys of folds and runs: all that results depend on, as canonical JSON and its SHA-256."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from foldproof.tasks.common.digest import digest_json
from foldproof.tasks.common.version import RESULTS_VERSION
from foldproof.tasks.config.model import ModelSpec
from foldproof.tasks.config.study import Study
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.data.class_weights import with_labels
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.folds.holdout import inner_rule
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.paths import is_remote
from foldproof.tasks.folds.plan import Fold, FoldPlan
from foldproof.tasks.folds.seeds import Role, fold_seed
from foldproof.tasks.machine.numerics import Numerics
from foldproof.tasks.user_code.builder_call import BuilderCall
from foldproof.tasks.user_code.objects.functions import (
    dump_function,
    identity_of,
    is_function_object,
    modules_of,
)
from foldproof.tasks.user_code.provenance import Provenance, trace_import, trace_module
from foldproof.tasks.user_code.references import BUILT_IN
from foldproof.tasks.user_code.search_path import import_folders

# An import of these alone needs no TensorFlow, which takes seconds to start.
LIGHT = {"numpy", "scipy", "scikit-learn", "pandas", "joblib", "pyarrow"}
HEAVY = {"tensorflow", "keras"}  # of a scaler: what it loads has to be set up before


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
    model: ModelSpec, train: TrainSpec, tell: Callable[[str], None] = lambda text: None
) -> ModelIdentity:
    """Identify the model by tracing all user code that a fold runs, without running any of it.

    Args:
        model: names the builder.
        train: names the scaler.
        tell: is told of it now and then where that takes long.

    Raises:
        InputError: a module cannot be found.
    """
    found, search = Provenance(tell=tell), list(import_folders())
    function = None
    if is_function_object(model.builder):
        function = identity_of(model.builder)
        for module in sorted(modules_of(model.builder) - {"__main__", "builtins"}):
            trace_import("model.builder", module, search, found)
    else:
        trace_module("model.builder", model.builder.partition(":")[0], search, found)
    heavy = bool(found.distributions.keys() - LIGHT) or _ours_need_it(found)
    if ":" in train.scaler:
        trace_module("train.scaler", train.scaler.partition(":")[0], search, found)
        heavy = heavy or bool(found.distributions.keys() & HEAVY)
    described = {"builder": model.builder, "params": model.params, "function": function}
    described |= found.described() | _described_files([])
    return ModelIdentity(described, heavy, tuple(found.notices))


def _described_files(digests: list[str]) -> dict[str, Any]:
    """Return the files' digests, sorted, and in which order the builder opens them."""
    names = sorted(set(digests))
    return {"files": names, "opened": [names.index(digest) for digest in digests]}


def builder_call(
    model: ModelSpec, dataset: Dataset, files: tuple[tuple[str, str], ...] = ()
) -> BuilderCall:
    """Return what a worker needs to call the builder, which opens the files."""
    return BuilderCall(
        reference=model.builder,
        pickled=dump_function(model.builder) if is_function_object(model.builder) else b"",
        params=model.params,
        input_shape=dataset.feature_shape,
        n_outputs=dataset.outputs,
        n_classes=len(dataset.labels) or None,
        task=dataset.task,
        search=import_folders(),
        files=files,
    )


def fold_jobs(
    study: Study,
    dataset: Dataset,
    plan: FoldPlan,
    identity: ModelIdentity,
    numerics: Numerics,
    out: Path | None = None,
) -> tuple[FoldJob, ...]:
    """Return the job of each fold, in the order of the plan.

    Args:
        study: the settings.
        dataset: the samples.
        plan: the folds.
        identity: of the model.
        numerics: of the workers.
        out: the folder that stands for the settings' here; default that itself.
    """
    common = {
        "foldproof": RESULTS_VERSION,
        "data": dataset.digest,
        "task": dataset.task,
        "positive": dataset.positive,
        "model": identity.described,
        "train": _train(study, dataset),
        "seed": study.seed,
        "numerics": numerics.fingerprint(),
    }
    rule = inner_rule(dataset, plan.method, plan.in_order)
    call, shared = builder_call(study.model, dataset, identity.files), digest_json(common)
    family = digest_json({name: value for name, value in common.items() if name != "seed"})
    stopped_early = study.train.early_stopping is not None
    return tuple(
        FoldJob(
            key=digest_json(
                {
                    "common": shared,
                    "repeat": fold.repeat,
                    "fold": fold.fold,
                    "rows": fold.digest,
                    "inner": rule if stopped_early else None,
                }
            ),
            family=family,
            inner=rule,
            builder=call,
            numerics=numerics,
            out=out or Path(study.out).resolve(),
            remote=study.out if is_remote(study.out) else "",
            **_placed(study, dataset, fold),
        )
        for fold in plan.folds
    )


def run_key(
    study: Study,
    dataset: Dataset,
    plan: FoldPlan,
    identity: ModelIdentity,
    numerics: Numerics,
    metrics: tuple[str, ...],
) -> dict[str, Any]:
    """Return the key of a run: everything that its report depends on, as in the manifest."""
    return {
        "foldproof": RESULTS_VERSION,
        "data": {
            "sha256": dataset.digest,
            "rows": dataset.rows,
            "feature_shape": list(dataset.feature_shape),
            **dataset.facts.for_key(),
            "settings": dataset.settings.model_dump(mode="json", exclude={"source", "csv"}),
        },
        "split": {
            "settings": study.split.model_dump(mode="json"),
            "method": plan.method,
            "folds": len(plan.folds),
            "sha256": plan.digest,
            **own_splitter(study.split.method),
        },
        "model": identity.described,
        "train": _train(study, dataset),
        "metrics": list(metrics),
        "compute": {"device": numerics.device, "threads": numerics.threads},
        "seed": study.seed,
        "numerics": numerics.fingerprint(),
        "report": {"pyarrow": metadata.version("pyarrow")},
    }


def run_id(key: dict[str, Any]) -> str:
    """Return a run's identifier: the first 12 hex digits of its key's digest."""
    return digest_json(key)[:12]


def _train(study: Study, dataset: Dataset) -> dict[str, Any]:
    """Return what is part of the keys of how folds train, the same however labels are written."""
    train = with_labels(study.train, dataset.labels)
    return train.model_dump(mode="json", exclude={"engine"})


def _placed(study: Study, dataset: Dataset, fold: Fold) -> dict[str, Any]:
    place = (study.seed, fold.repeat, fold.fold)
    return {
        "repeat": fold.repeat,
        "fold": fold.fold,
        "data": dataset.folder,
        "train_path": fold.train_path,
        "test_path": fold.test_path,
        "train": study.train,
        "labels": dataset.labels,
        "positive": dataset.positive,
        "model_seed": fold_seed(*place, Role.MODEL),
        "order_seed": fold_seed(*place, Role.BATCH_ORDER),
        "inner_seed": fold_seed(*place, Role.INNER_SPLIT),
    }


def own_splitter(method: str) -> dict[str, Any]:
    """Return the sources of a splitter that is named by an import path, for who verifies."""
    if ":" not in method or is_function_object(method):
        return {}
    found = Provenance()
    trace_module("split.method", method.partition(":")[0], list(import_folders()), found)
    return {"sources": found.sources}


def _ours_need_it(found: Provenance) -> bool:
    return BUILT_IN in found.sources
