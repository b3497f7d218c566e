"""Compute a run from its settings, step by step: model, data, folds, metrics, jobs, key.

Nothing here starts a process. `Run`, in `session.py`, adds workers and all else that lives.
"""

import contextlib
from functools import cached_property
from pathlib import Path
from typing import Any

from foldproof.tasks.config.study import Study
from foldproof.tasks.data.dataset import Dataset, prepare_data
from foldproof.tasks.data.sources.choose import has_images
from foldproof.tasks.evaluation.metric_names import resolve_metrics
from foldproof.tasks.folds.fold_jobs import builder_call, fold_jobs
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.keys import run_key
from foldproof.tasks.folds.model_identity import ModelIdentity, identify_model
from foldproof.tasks.folds.split.plan import FoldPlan, plan_folds
from foldproof.tasks.machine.devices import Placement, place
from foldproof.tasks.store.disk_errors import disk_errors_as_run_failed
from foldproof.tasks.user_code.opened_files.record import (
    may_open_files,
    read_record,
    record_name,
)
from foldproof.tasks.user_code.opened_files.watch import NOTHING, OpenedFiles


class RunPlan:
    """The pure part of a run: all that settings and data determine.

    Each step is computed once, when it is first asked for.

    Attributes:
        study: the settings, with the scaler that is applied.
        leaves_pixels: images stay unscaled, as nobody chose a scaler.
        out: the folder of the results.
        scratch: an existing folder for arrays, which ends with the run.
    """

    def __init__(self, study: Study, out: Path, scratch: Path) -> None:
        """Take the settings; nothing is computed yet."""
        self.leaves_pixels = leaves_pixels(study)
        self.study = without_scaler(study) if self.leaves_pixels else study
        self.out, self.scratch = out, scratch

    @cached_property
    def identity(self) -> ModelIdentity:
        """The model's sources, versions and parameters."""
        return identify_model(
            self.study.model, self.study.train, self.study.data.preprocess, self._say_step
        )

    @cached_property
    def placement(self) -> Placement:
        """The device slots and their numerics."""
        return place(self.study.compute)

    @cached_property
    def dataset(self) -> Dataset:
        """The samples, read, checked and on disk."""
        folder = self._folder("data")
        with self._writing("the data"):
            return prepare_data(self.study.data, self.study.split.fold_column, folder)

    @property
    def chose_positive(self) -> bool:
        """Whether the user set which label is the positive one."""
        return self.study.data.positive is not None

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics."""
        data = self.dataset
        return resolve_metrics(self.study.metrics, data.task, len(data.labels), data.targets)

    @cached_property
    def plan(self) -> FoldPlan:
        """The folds, checked and on disk."""
        with self._writing("the rows of the folds"):
            return self._divide(self._folder("folds"))

    @property
    def n_folds(self) -> int | None:
        """How many folds there are; None before the rows are divided."""
        return len(self.plan.folds) if "plan" in vars(self) else None

    @cached_property
    def model(self) -> ModelIdentity:
        """The model's identity with the files that its builder opens."""
        return self.identity.with_files(self.opened.files)

    @cached_property
    def opened(self) -> OpenedFiles:
        """The files that the builder opens while it builds."""
        return self._find_opened() if may_open_files(self.study.model.builder) else NOTHING

    @cached_property
    def record(self) -> str:
        """The name, below `out`, of the record of what the builder opens."""
        call = builder_call(self.study.model, self.dataset)
        return record_name(self.identity.described, call)

    @cached_property
    def jobs(self) -> tuple[FoldJob, ...]:
        """The folds' jobs, in the order of the plan."""
        return self.jobs_of(self.plan, self.model)

    @cached_property
    def _by_key(self) -> dict[str, FoldJob]:
        return {job.key: job for job in self.jobs}

    def job(self, key: str) -> FoldJob:
        """Return the job of a fold's key."""
        return self._by_key[key]

    def label(self, job: FoldJob) -> str:
        """Return a fold's name for people; it counts from 0, as in files and messages."""
        place = f"fold {job.fold} of {self.plan.per_repeat()}"
        return place if self.plan.repeats == 1 else f"{place}, repeat {job.repeat}"

    @cached_property
    def key(self) -> dict[str, Any]:
        """The run's key: everything that the report follows from."""
        parts = (self.dataset, self.plan, self.model, self.placement.numerics, self.metrics)
        return run_key(self.study, *parts)

    def share_data(self, other: "RunPlan") -> None:
        """Take the data of another run where the settings read the same."""
        one, own = other.study, self.study
        if one.data == own.data and one.split.fold_column == own.split.fold_column:
            self.dataset = other.dataset

    def share_folds(self, other: "RunPlan") -> None:
        """Take the folds of another run where the same data is divided in the same way."""
        same = other.study.split == self.study.split and other.study.seed == self.study.seed
        same &= _given(other.study) == _given(self.study)
        if same and self.dataset is other.dataset:
            self.plan = other.plan

    def jobs_of(self, plan: FoldPlan, model: ModelIdentity) -> tuple[FoldJob, ...]:
        """Return the jobs of some folds, under the keys that an identity of the model gives."""
        numerics = self.placement.numerics
        return fold_jobs(self.study, self.dataset, plan, model, numerics, self.out)

    def _divide(self, folder: Path) -> FoldPlan:
        return plan_folds(self.dataset, self.study.split, self.study.seed, folder)

    def _find_opened(self) -> OpenedFiles:
        """Return the files that the builder opens, from its record."""
        return read_record(self.out / self.record) or NOTHING

    def _say_step(self, text: str) -> None:
        """Show progress of a long step; a plan alone has no display."""

    def _folder(self, name: str) -> Path:
        folder = self.scratch / name
        folder.mkdir(exist_ok=True)
        return folder

    def _writing(self, what: str) -> contextlib.AbstractContextManager[None]:
        remedy = "make room there, or set TMPDIR to another folder"
        return disk_errors_as_run_failed(
            f"{what}, as arrays in {str(self.scratch.parent)!r},", remedy
        )


def leaves_pixels(study: Study) -> bool:
    """Return whether no scaler is applied because the samples are images, and nobody chose one."""
    data = study.data
    is_free = data.preprocess == "auto" and not study.train.chosen("scaler")
    return is_free and data.inputs is None and has_images(data)


def without_scaler(study: Study) -> Study:
    """Return the settings with no scaler."""
    return study.model_copy(update={"train": study.train.model_copy(update={"scaler": "none"})})


def _given(study: Study) -> list[str]:
    """Return which settings of a split count because they were given."""
    return study.split.given(study.data.time)
