"""Validate settings against data and machine before any training."""

import os
from pathlib import Path

import numpy as np

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import Study
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.data.dataset import GROUPS, TIMES, Dataset
from foldproof.tasks.folds.job import ModelFacts
from foldproof.tasks.folds.split.holdout import inner_rule, inner_split
from foldproof.tasks.folds.split.plan import FoldPlan
from foldproof.tasks.store.object_storage import refuse_remote


def check_early_stopping(train: TrainSpec, dataset: Dataset, plan: FoldPlan, gap: int = 0) -> None:
    """Check that early stopping can hold out rows in every fold.

    Raises:
        InputError: they cannot be divided so.
    """
    if train.early_stopping is None:
        return
    rule = inner_rule(dataset, plan.method, plan.in_order)
    codes, sides = dataset.codes(), [dataset.array(name) for name in (GROUPS, TIMES)]
    for fold in plan.folds:
        rows = np.load(fold.train_path)
        groups, times = (None if side is None else side[rows] for side in sides)
        fraction = train.early_stopping.fraction
        inner_split(rule, fraction, 0, codes[rows], groups, times, gap)


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
    names = ("optimizer", "learning_rate", "loss", "metrics")
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
