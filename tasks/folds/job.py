"""Messages between the flow's process and a worker: small, frozen, without arrays."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from foldproof.tasks.common.digest import digest_json
from foldproof.tasks.common.inputs import Shapes
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.data.stored_inputs import INPUTS
from foldproof.tasks.data.target import Label
from foldproof.tasks.folds.paths import fold_path
from foldproof.tasks.folds.preprocess import PreprocessCall
from foldproof.tasks.machine.numerics import Numerics
from foldproof.tasks.user_code.builder_call import BuilderCall
from foldproof.tasks.user_code.opened_files.watch import NOTHING, OpenedFiles

SHAPE_CHARS = 12  # of a digest of shapes


@dataclass(frozen=True)
class FoldJob:
    """Everything that a worker needs to train one fold; its key covers all that matters.

    Attributes:
        key: SHA-256 of all that can change the result.
        family: SHA-256 of what all folds of the run share, whatever its seed.
        repeat, fold: the fold's place, from 0.
        data: the folder of the arrays.
        train_path, test_path: npy files of the rows; the second is read after training.
        builder: how to build the model.
        train: training settings.
        labels, positive: as in Dataset.
        model_seed, order_seed, inner_seed, preprocessing_seed: one seed a role.
        inner: how early stopping holds out rows, as from `inner_rule`.
        numerics: the numerics that the worker must have.
        out: the folder of finished folds and reports.
        remote: the URI of the object storage that the folder stands for, or empty.
        inner_gap: times left out before the rows that early stopping holds out.
        preprocess: what is fitted to the features first.
        inputs: of a model with several inputs, the name of each and what is fitted to it.
    """

    key: str
    family: str
    repeat: int
    fold: int
    data: Path
    train_path: Path
    test_path: Path
    builder: BuilderCall
    train: TrainSpec
    labels: tuple[Label, ...]
    positive: Label | None
    model_seed: int
    order_seed: int
    inner_seed: int
    preprocessing_seed: int
    inner: str
    numerics: Numerics
    out: Path
    remote: str = ""
    inner_gap: int = 0
    preprocess: PreprocessCall = field(default_factory=PreprocessCall)
    inputs: tuple[tuple[str, PreprocessCall], ...] = ()

    @property
    def parts(self) -> dict[str, "FoldJob"]:
        """The job for the features of each input alone; the only one has no name."""
        if not self.inputs:
            return {"": self}
        return {
            name: replace(self, data=self.data / INPUTS / name, preprocess=call, inputs=())
            for name, call in self.inputs
        }

    @property
    def keeps_shape(self) -> bool:
        """Whether samples have the shape of the data after they are preprocessed."""
        return all(part.preprocess.way == "scaler" for part in self.parts.values())

    def with_input(self, shape: Shapes) -> "FoldJob":
        """Return the job with the shape of a sample as preprocessing leaves it.

        Models of one family are compiled once for each.
        """
        if self.keeps_shape:
            return self
        several = isinstance(shape, dict)  # whose shapes may be too long for the name of a file
        width = digest_json(shape)[:SHAPE_CHARS] if several else "x".join(map(str, shape))
        call = replace(self.builder, input_shape=shape)
        return replace(self, builder=call, family=f"{self.family}:{width}")

    @property
    def store(self) -> Path:
        """The file where the finished fold is stored."""
        return fold_path(self.out, self.key)


@dataclass(frozen=True)
class FoldRecord:
    """The outcome of a fold: its digests, or its error.

    Attributes:
        key, repeat, fold: which fold.
        error: one line without pid, path or time, or None when the fold is done.
        traceback: of the user's own code, when that failed.
        lost: the worker was lost or ran out of memory, so another try may succeed.
        cached: taken from the store.
        attempt: the number of the last attempt, from 1.
        slot: the device slot it trained on.
        initial, weights, predictions: the fold's digests.
        notice: a line to show to the user, or empty.
        memory: MiB that the worker held when it was done.
        seconds: that an epoch took, or an estimator's fit.
    """

    key: str
    repeat: int
    fold: int
    error: str | None = None
    traceback: str = ""
    lost: bool = False
    cached: bool = False
    attempt: int = 1
    slot: str = ""
    initial: str | None = None
    weights: str | None = None
    predictions: str | None = None
    notice: str = ""
    memory: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class ModelFacts:
    """Facts about the user's model, found by a trial build.

    Attributes:
        kind: keras or estimator.
        compiled: the builder compiled it.
        notices: lines to show to the user.
        opened: what the builder opened meanwhile.
        saw_rows: rows of the data were read for the trial.
        is_final: it was not cut short for want of memory.
    """

    kind: str
    compiled: bool
    notices: tuple[str, ...] = ()
    opened: OpenedFiles = NOTHING
    saw_rows: bool = True
    is_final: bool = True
