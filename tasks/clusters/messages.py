"""Messages between the flow's process and a node: small, frozen, without arrays."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.model import ModelSpec
from foldproof.tasks.config.named.inputs import Preprocessing
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.config.train import TrainSpec


@dataclass(frozen=True)
class JoinRequest:
    """A run's invitation to a node, with all that it needs to start workers.

    Attributes:
        run: the run's random identifier.
        compute: its settings; `workers` is what the node offers.
        model, train, preprocess: for the code that the node must have.
        modules: those that a builder sent by value imports from.
        search: the folders on the module search path of the flow's process.
        folder: its working directory.
        tensorflow: the workers load it.
        heartbeat_timeout_s: seconds without a heartbeat after which the node ends its workers.
    """

    run: str
    compute: ComputeSpec
    model: ModelSpec
    train: TrainSpec
    preprocess: Preprocessing
    modules: tuple[str, ...]
    search: tuple[str, ...]
    folder: Path
    tensorflow: bool
    heartbeat_timeout_s: float


@dataclass(frozen=True)
class NodeInfo:
    """A node's description of itself: its slots, its numerics, its code.

    Attributes:
        host: the machine's name.
        devices: one name a slot.
        fingerprint: its numerics fingerprint.
        code: the digest or version of each module that a fold imports.
        problem: why it cannot train this run's folds, or empty.
    """

    host: str
    devices: tuple[str, ...]
    fingerprint: dict[str, Any]
    code: dict[str, str]
    problem: str = ""


@dataclass(frozen=True)
class DataReference:
    """Where a node finds the data and the folds, and the digests that they must have.

    Attributes:
        mark: a file in the flow's scratch folder; a node that can read `secret` there shares
            its file system.
        secret: what the file holds.
        data, fold_column, split, seed: what a node without that folder prepares its own copy from.
        data_sha256, folds_sha256: the expected digests.
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
    """The outcome of a call on a node: a value or an error.

    Attributes:
        value: what the call returned.
        error: what it raised, or None.
        known: the node has joined the run; a restarted one has not.
    """

    value: Any = None
    error: BaseException | None = None
    known: bool = True
