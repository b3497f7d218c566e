"""What the flow's process and a node say to each other: small, frozen, without arrays."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.model import ModelSpec
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.config.train import TrainSpec


@dataclass(frozen=True)
class Request:
    """What a node must know to train folds of a run.

    Attributes:
        run: a name of the run, made up by the flow's process.
        compute: its settings; `workers` is what the node offers.
        model, train: for the code that the node must have.
        modules: that a function which travels by value takes from.
        search: folders where the flow's process finds modules.
        folder: its working directory.
        tensorflow: the workers load it.
        patience: seconds without a word from the flow's process after which the workers end.
    """

    run: str
    compute: ComputeSpec
    model: ModelSpec
    train: TrainSpec
    modules: tuple[str, ...]
    search: tuple[str, ...]
    folder: Path
    tensorflow: bool
    patience: float


@dataclass(frozen=True)
class Passport:
    """What a node says of itself.

    Attributes:
        host: the machine's name.
        devices: one name a slot.
        fingerprint: its numerics.
        code: digest or version of each module that a fold runs.
        problem: why it cannot train this run's folds, or empty.
    """

    host: str
    devices: tuple[str, ...]
    fingerprint: dict[str, Any]
    code: dict[str, str]
    problem: str = ""


@dataclass(frozen=True)
class DataReference:
    """The data and the folds, by where they are and what they must be.

    Attributes:
        mark: a file in the flow's scratch folder; a node that reads `secret` there sees the
            arrays and rows, too.
        secret: what the file holds.
        data, fold_column, split, seed: what a node makes arrays and rows from otherwise.
        data_sha256, folds_sha256: what must come out.
        out: the folder of finished folds and reports; None where they go to object storage.
    """

    mark: Path
    secret: str
    data: DataSpec
    fold_column: str | None
    split: SplitSpec
    seed: int
    data_sha256: str
    folds_sha256: str
    out: Path | None


@dataclass(frozen=True)
class Answer:
    """What came of a call on a node.

    Attributes:
        value: what the call returned.
        error: what it raised, or None.
        known: the node knows the run; one that was restarted does not.
    """

    value: Any = None
    error: BaseException | None = None
    known: bool = True
