"""The state of each fold's model before its first batch, and the check that folds differ in it."""

from collections.abc import Iterable
from dataclasses import dataclass

from foldproof.tasks.common.errors import RunFailed


@dataclass(frozen=True)
class InitialState:
    """The state of a model before its first batch, as its worker saw it.

    Attributes:
        step: the optimizer's step; None for an estimator, which has none.
        seeded: another seed gives other initial weights; None for an estimator.
    """

    step: int | None = None
    seeded: bool | None = None


@dataclass(frozen=True)
class FoldStart:
    """The seed and initial weights of a fold, to compare with other folds.

    Attributes:
        repeat, fold: which fold.
        seed: its model seed.
        initial: the digest of its initial weights; None for an estimator.
        start: what the worker saw.
    """

    repeat: int
    fold: int
    seed: int
    initial: str | None
    start: InitialState


class SharedInitialWeights(RunFailed):
    """Folds with different seeds started from the same weights."""


def certificate(start: InitialState) -> str:
    """Return the certificate of a fold in words: that nothing was carried over into it.

    A worker refuses to train a model, or a layer that trains, that it was handed before, and
    one whose optimizer has already taken a step; so a finished fold carried nothing over.
    """
    if start.step is None:
        return "new estimator; nothing carried over"
    weights = (
        "own initial weights"
        if start.seeded
        else "initial weights shared: the builder gives the same for every seed"
    )
    return f"{weights}; optimizer at step {start.step}; nothing carried over"


def check_distinct(beginnings: Iterable[FoldStart]) -> None:
    """Check that folds with different seeds started from different weights.

    Args:
        beginnings: of the finished folds. All of them may share their weights, where the
            builder gives the same for every seed.

    Raises:
        SharedStart: two folds that should differ do not.
    """
    models = [one for one in beginnings if one.initial is not None]
    if len({one.initial for one in models}) == 1 and not any(one.start.seeded for one in models):
        return
    known: dict[str | None, FoldStart] = {}
    for one in models:
        other = known.setdefault(one.initial, one)
        if other.seed != one.seed:
            raise SharedInitialWeights(
                f"folds {other.repeat}/{other.fold} and {one.repeat}/{one.fold} started from the "
                "same weights though their seeds differ and the builder's weights depend on the "
                "seed: something carries weights over, or the builder draws its own seed from "
                "few values; nothing is reported"
            )
