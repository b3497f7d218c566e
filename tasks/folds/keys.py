"""The keys of folds and runs: all that results depend on, as canonical JSON and its SHA-256."""

from importlib import metadata
from typing import Any

from foldproof.tasks.common.digest import digest_json
from foldproof.tasks.common.inputs import plain_shapes
from foldproof.tasks.common.version import REPORT_VERSION, RESULTS_VERSION
from foldproof.tasks.config.keyed import keyed_settings
from foldproof.tasks.config.named.inputs import of_each
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.config.study import Study
from foldproof.tasks.config.train import SAME_BITS
from foldproof.tasks.data.class_weights import with_labels
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.folds.model_identity import ModelIdentity
from foldproof.tasks.folds.split.plan import Fold, FoldPlan
from foldproof.tasks.machine.numerics import Numerics
from foldproof.tasks.user_code.objects.functions import is_function_object
from foldproof.tasks.user_code.provenance import Provenance, trace_module
from foldproof.tasks.user_code.search_path import import_folders


def fold_key(shared: str, fold: Fold, inner: str | None, gap: int = 0) -> str:
    """Return the key of a fold: all that its result depends on, and nothing else.

    Args:
        shared: the digest of what the keys of a run's folds share (`shared_by_folds`).
        fold: its place and its rows.
        inner: the rule of early stopping's holdout; None where nothing is held out.
        gap: times left out before those that are held out.
    """
    return digest_json(
        {
            "common": shared,
            "repeat": fold.repeat,
            "fold": fold.fold,
            "rows": fold.digest,
            "inner": inner,
            **({"inner_gap": gap} if inner and gap else {}),
        }
    )


def shared_by_folds(
    study: Study, dataset: Dataset, identity: ModelIdentity, numerics: Numerics
) -> dict[str, Any]:
    """Return what goes into the key of every fold of a run."""
    return {
        "foldproof": RESULTS_VERSION,
        "data": dataset.digest,
        "task": dataset.task,
        "positive": dataset.positive,
        "model": identity.described,
        "train": _train(study, dataset),
        "seed": study.seed,
        "numerics": numerics.fingerprint(),
        **_preprocessing(dataset),
    }


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
            "feature_shape": plain_shapes(dataset.feature_shape),
            **dataset.facts.for_key(),
            "settings": dataset.settings.without_place(),
            **({"ids": dataset.ids_digest} if dataset.ids_digest else {}),
        },
        "split": {
            "settings": keyed_settings(study.split),
            **given_settings(study.split, dataset.settings.time),
            "method": plan.method,
            "folds": len(plan.folds),
            "sha256": plan.digest,
            **own_splitter(study.split.method),
        },
        "model": identity.described,
        "train": _train(study, dataset),
        "metrics": list(metrics),
        **own_metrics(metrics),
        "compute": {"device": numerics.device, "threads": numerics.threads},
        "seed": study.seed,
        "numerics": numerics.fingerprint(),
        "report": _report(study),
        **_preprocessing(dataset),
    }


def run_id(key: dict[str, Any]) -> str:
    """Return a run's identifier: the first 12 hex digits of its key's digest."""
    return digest_json(key)[:12]


def _train(study: Study, dataset: Dataset) -> dict[str, Any]:
    """Return what is part of the keys of how folds train, the same however labels are written."""
    train = with_labels(study.train, dataset.labels)
    return keyed_settings(train, without=SAME_BITS)


def _report(study: Study) -> dict[str, Any]:
    """Return what a report depends on beside its folds: its settings where not at their default."""
    given = keyed_settings(study.report)
    return report_versions() | ({"settings": given} if given else {})


def report_versions() -> dict[str, Any]:
    """Return the versions that the bytes of a report depend on."""
    names = ("matplotlib", "pyarrow")
    return {"version": REPORT_VERSION, **{name: metadata.version(name) for name in names}}


def _preprocessing(dataset: Dataset) -> dict[str, Any]:
    """Return how features are preprocessed, where that is more than a scaler of plain numbers."""
    given = of_each(dataset.settings.preprocess).values()
    if all(each == "auto" for each in given) and not dataset.tables:
        return {}
    settings = dataset.settings.model_dump(mode="json", include={"preprocess"})
    return {"preprocess": {"steps": settings["preprocess"], "pandas": metadata.version("pandas")}}


def given_settings(split: SplitSpec, time: str | None) -> dict[str, Any]:
    """Return which settings of a split count at their default because they were given."""
    given = split.given(time)
    return {"given": given} if given else {}


def own_splitter(method: str) -> dict[str, Any]:
    """Return the sources of a splitter that is named by an import path, for who verifies."""
    if ":" not in method or is_function_object(method):
        return {}
    found = Provenance()
    trace_module("split.method", method.partition(":")[0], list(import_folders()), found)
    return {"sources": found.sources}


def own_metrics(names: tuple[str, ...]) -> dict[str, Any]:
    """Return the sources of metrics that are named by import paths; nothing without any."""
    own = [name for name in names if ":" in name and not is_function_object(name)]
    found = Provenance()
    for name in own:
        trace_module("metrics", name.partition(":")[0], list(import_folders()), found)
    return {"own_metrics": found.described()} if own else {}
