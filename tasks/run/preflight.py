"""Validate settings against data and machine before any training."""

import os
from pathlib import Path

import numpy as np

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import Study
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.folds.holdout import inner_rule, inner_split
from foldproof.tasks.folds.job import ModelFacts
from foldproof.tasks.folds.plan import FoldPlan
from foldproof.tasks.store.object_storage import refuse_remote


def check_early_stopping(train: TrainSpec, dataset: Dataset, plan: FoldPlan) -> None:
    """Check that early stopping can hold out rows in every fold.

    Raises:
        InputError: they cannot be divided so.
    """
    if train.early_stopping is None:
        return
    rule = inner_rule(dataset, plan.method, plan.in_order)
    codes, groups = dataset.codes(), dataset.array("groups.npy")
    for fold in plan.folds:
        rows = np.load(fold.train_path)
        of_rows = None if groups is None else groups[rows]
        inner_split(rule, train.early_stopping.fraction, 0, codes[rows], of_rows)


def check_writable(out: Path) -> None:
    """Check that the output folder can be written, without creating it."""
    try:
        existing = next(folder for folder in (out, *out.parents) if folder.exists())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError("out", f"{str(out)!r} is no path ({reason}); choose another") from None
    if not existing.is_dir():
        raise InputError("out", f"{str(existing)!r} is no folder; choose another")
    if not os.access(existing, os.W_OK | os.X_OK):
        problem = f"cannot write to {str(existing)!r} (permission denied); choose another folder"
        raise InputError("out", problem)


def ignored_settings(train: TrainSpec, facts: ModelFacts) -> str:
    """Return a notice about settings that have no effect, or an empty text."""
    names = ("optimizer", "learning_rate", "loss")
    chosen = [f"train.{name}" for name in names if train.chosen(name)]
    if not chosen or not (facts.compiled or facts.kind == "estimator"):
        return ""
    why = "the builder compiled its model" if facts.compiled else "the model is an estimator"
    return f"{', '.join(chosen)} had no effect: {why}"


def refuse_elsewhere(study: Study, command: str) -> None:
    """Refuse what a command cannot do away from this machine.

    Raises:
        InputError: results would go to object storage, or folds train on a cluster.
    """
    refuse_remote(study.out, command)
    if study.compute.engine != "local":
        problem = f"{command} trains on this machine, not by {study.compute.engine}; use local"
        raise InputError("compute.engine", problem)
