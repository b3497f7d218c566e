"""The data on a node: read over a shared file system, or prepared here from the source."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from foldproof.tasks.clusters.messages import DataReference
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.data.dataset import prepare_data
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.split.plan import plan_folds
from foldproof.tasks.user_code.search_path import extend_path


@dataclass(frozen=True)
class LocalData:
    """A node's own data folders; None where it shares those of the flow's process."""

    data: Path | None = None
    folds: Path | None = None
    out: Path | None = None  # stands for object storage

    def place(self, job: FoldJob) -> FoldJob:
        """Return the job with this node's paths."""
        if self.data is None or self.folds is None:
            return job
        train, test = self.folds / job.train_path.name, self.folds / job.test_path.name
        out = self.out if job.remote and self.out is not None else job.out
        return replace(job, data=self.data, train_path=train, test_path=test, out=out)


def shares_file_system(reference: DataReference) -> bool:
    """Return whether this machine can read the scratch folder of the flow's process."""
    try:
        return reference.mark.read_text() == reference.secret
    except OSError:
        return False


def build_local_data(reference: DataReference, search: tuple[str, ...], scratch: Path) -> LocalData:
    """Prepare data and folds on this node, and check that their digests are the run's.

    A node does this once, in a process that trains nothing: test rows pass through it.

    Raises:
        InputError: the source cannot be read here, or is another one.
    """
    extend_path(search)
    folders = LocalData(scratch / "data", scratch / "folds", scratch / "out")
    (scratch / "out" / "folds").mkdir(parents=True, exist_ok=True)
    assert folders.data is not None
    assert folders.folds is not None
    for folder in (folders.data, folders.folds):
        folder.mkdir(exist_ok=True)
    dataset = prepare_data(reference.data, reference.fold_column, folders.data)
    if dataset.digest != reference.data_sha256:
        problem = f"{reference.data.source!r} holds other samples there; give a path all nodes see"
        raise InputError("data.source", problem)
    plan = plan_folds(dataset, reference.split, reference.seed, folders.folds)
    if plan.digest != reference.folds_sha256:
        raise InputError("split.method", "divides the same samples otherwise there")
    return folders


def write_probe(reference: DataReference, name: str) -> None:
    """Write a probe file into the folder of finished folds, for the flow's process to find.

    Raises:
        InputError: this machine cannot write there.
    """
    if reference.out is None:  # each fold is sent there, and would fail with the reason
        return
    try:
        with (reference.out / "folds" / name).open("x") as file:
            os.fsync(file.fileno())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        problem = f"{str(reference.out)!r} cannot be written to there ({reason})"
        raise InputError("out", f"{problem}; choose a folder that all nodes see") from None
