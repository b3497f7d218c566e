"""What is wrong about a run's settings, or without effect, as far as that shows beforehand."""

import inspect
import os
from pathlib import Path
from typing import Any

import numpy as np

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import TrainSpec
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.folds.holdout import inner_rule, inner_split
from foldproof.tasks.folds.job import ModelFacts
from foldproof.tasks.folds.plan import FoldPlan
from foldproof.tasks.training.scaler import CLASSES, make_scaler


def check_early_stopping(train: TrainSpec, dataset: Dataset, plan: FoldPlan) -> None:
    """Divide the training rows of every fold once, as early stopping will.

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


def check_scaler(name: str) -> None:
    """Make the scaler once, to see that it can be made.

    Raises:
        InputError: it cannot.
    """
    if name == "none" or name in CLASSES:
        return
    try:
        scaler = make_scaler(name)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # the user's own class: anything can come out
        raise InputError(
            "train.scaler", f"{name} cannot be made without arguments ({error})"
        ) from None
    if not hasattr(scaler, "fit") or not hasattr(scaler, "transform"):
        raise InputError("train.scaler", f"{name} has no fit and transform; give a transformer")
    if needs := _needed_beside_rows(scaler.fit):
        problem = f"{name}.fit needs {needs!r}; a scaler learns from the features alone"
        raise InputError("train.scaler", f"{problem}; give it a default")


def _needed_beside_rows(fit: Any) -> str:
    """Return the first argument without a default after the rows, or nothing."""
    try:
        parameters = list(inspect.signature(fit).parameters.values())[1:]
    except (TypeError, ValueError):  # such as a function of C's
        return ""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    needed = [p.name for p in parameters if p.default is p.empty and p.kind not in variadic]
    return needed[0] if needed else ""


def check_writable(out: Path) -> None:
    """Refuse a folder that cannot be written to, without making it yet."""
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
    """Return what should be known of settings that have no effect, or nothing."""
    names = ("optimizer", "learning_rate", "loss")
    chosen = [f"train.{name}" for name in names if train.chosen(name)]
    if not chosen or not (facts.compiled or facts.kind == "estimator"):
        return ""
    why = "the builder compiled its model" if facts.compiled else "the model is an estimator"
    return f"{', '.join(chosen)} had no effect: {why}"
