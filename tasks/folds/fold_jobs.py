"""Make the job of each fold: all that a worker needs to train it, under the fold's key."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from foldproof.tasks.common.digest import digest_json
from foldproof.tasks.config.model import ModelSpec
from foldproof.tasks.config.named.inputs import preprocess_of
from foldproof.tasks.config.study import Study
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.keys import fold_key, shared_by_folds
from foldproof.tasks.folds.model_identity import ModelIdentity
from foldproof.tasks.folds.paths import is_remote
from foldproof.tasks.folds.preprocess import PreprocessCall
from foldproof.tasks.folds.seeds import Role, fold_seed
from foldproof.tasks.folds.split.holdout import inner_rule
from foldproof.tasks.folds.split.plan import Fold, FoldPlan
from foldproof.tasks.folds.training_code import sent_functions
from foldproof.tasks.machine.numerics import Numerics
from foldproof.tasks.user_code.builder_call import BuilderCall
from foldproof.tasks.user_code.objects.functions import dump_function, is_function_object
from foldproof.tasks.user_code.search_path import import_folders


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
    shared = shared_by_folds(study, dataset, identity, numerics)
    digest = digest_json(shared)
    rule = inner_rule(dataset, plan.method, plan.in_order)
    same_for_all: dict[str, Any] = {
        "family": digest_json({name: shared[name] for name in shared if name != "seed"}),
        "inner": rule,
        "inner_gap": study.split.gap,
        **_preprocessing(dataset),
        "builder": replace(
            builder_call(study.model, dataset, identity.files),
            functions=sent_functions(study.train),
        ),
        "numerics": numerics,
        "out": out or Path(study.out).resolve(),
        "remote": study.out if is_remote(study.out) else "",
    }
    held_out = rule if study.train.early_stopping is not None else None
    return tuple(
        FoldJob(
            key=fold_key(digest, fold, held_out, study.split.gap),
            **same_for_all,
            **_of_fold(study, dataset, fold),
        )
        for fold in plan.folds
    )


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


def _preprocessing(dataset: Dataset) -> dict[str, Any]:
    """Return the fields of a job that say how features are preprocessed: all, or each input's."""
    if not isinstance(dataset.feature_shape, dict):
        return {"preprocess": _preprocess_call(dataset, "")}
    calls = {name: _preprocess_call(dataset, name) for name in dataset.feature_shape}
    return {"inputs": tuple(calls.items())}


def _preprocess_call(dataset: Dataset, name: str) -> PreprocessCall:
    """Return what a worker needs to preprocess the features of an input."""
    given = preprocess_of(dataset.settings.preprocess, name)
    if given == "auto":
        return PreprocessCall("auto" if name in dataset.tables else "scaler")
    if given == "none":
        return PreprocessCall("none", given)
    is_object = isinstance(given, str) and is_function_object(given)
    return PreprocessCall(
        way="own",
        given=given,
        pickled=dump_function(str(given)) if is_object else b"",
        search=import_folders(),
    )


def _of_fold(study: Study, dataset: Dataset, fold: Fold) -> dict[str, Any]:
    """Return the fields of a job that differ between folds, and those of the data."""
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
        "preprocessing_seed": fold_seed(*place, Role.PREPROCESSING),
    }
