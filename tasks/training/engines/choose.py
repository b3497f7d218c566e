"""Ways to run the same training; all give the same bits.

`train` chooses: a compiled model that the worker keeps, where that is provably the same,
else Keras as it is.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.training.engines import compiled, plain
from foldproof.tasks.training.engines.compiled import (
    TRIAL_SEEDS,
    Builder,
    CompiledModel,
    NotReusable,
)
from foldproof.tasks.training.error_text import describe_failure, is_exhausted
from foldproof.tasks.training.fold_data import Material
from foldproof.tasks.training.progress import Progress
from foldproof.tasks.training.trained_model import History

# The model that this worker keeps, or why it keeps none, for the model in hand.
_kept: dict[str, CompiledModel | str] = {}

LONGEST = 120  # characters of the reason

__all__ = ["TRIAL_SEEDS", "Begun", "Builder", "begin", "prepare"]

Ran = tuple[History, int, int | None]


@dataclass(frozen=True)
class Begun:
    """A fold whose model is built and not trained yet.

    Attributes:
        model: before its first batch.
        train: trains it, and returns history, epochs run and best epoch.
        predict: features to raw output, once it is trained.
        not_compiled: why it is not the compiled model that the worker keeps, or empty.
    """

    model: Any
    train: Callable[[Material, Progress], Ran]
    predict: Callable[[NDArray[Any]], Any]
    not_compiled: str = ""


def begin(
    build: Builder,
    identity: str,
    seed: int,
    order_seed: int,
    material: Material,
    train: TrainSpec,
) -> Begun:
    """Build a fold's model and choose how it trains.

    Args:
        build: makes a fresh, complete model from a seed.
        identity: of the model and its settings; equal for the folds of a run.
        seed: the fold's model seed.
        order_seed: the fold's seed for the batch order.
        material: the training rows.
        train: the training settings; `engine` chooses.

    Raises:
        NotReusable: engine compiled, and it cannot be.
    """
    reason = ""
    if train.engine != "plain":
        try:
            kept = _keep(build, identity, material, train)
            return Begun(
                compiled.adopt(kept, build(seed, keep_kernels=kept.keep_kernels)),
                lambda m, p: compiled.run(kept, m, train, order_seed, p),
                kept.loop.predict,
            )
        except NotReusable as error:
            reason = str(error)
            if train.engine == "compiled":
                raise
    model = build(seed)
    return Begun(
        model,
        lambda m, p: plain.run(model, m, train, order_seed, p),
        lambda features: plain.predict(model, features, train),
        reason,
    )


def prepare(build: Builder, identity: str, material: Material, train: TrainSpec) -> None:
    """Compile the model of a run, or find out that it cannot be, before the first fold."""
    with contextlib.suppress(NotReusable):
        _keep(build, identity, material, train)


def _keep(build: Builder, identity: str, material: Material, train: TrainSpec) -> CompiledModel:
    known = _kept.get(identity)
    if known is None:
        _kept.clear()  # a worker keeps one model: that of the run in hand
        known = _kept[identity] = _prepare(build, material, train)
    if isinstance(known, str):
        raise NotReusable(known)
    return known


def _prepare(build: Builder, material: Material, train: TrainSpec) -> CompiledModel | str:
    try:
        return compiled.prepare(build, material, train)
    except NotReusable as error:
        return str(error)
    except Exception as error:  # whatever it is, plain Keras will show it in the user's terms
        if is_exhausted(error):  # that passes: it says nothing about the model
            raise
        reason = describe_failure(error)[:LONGEST]
        return f"it could not be compiled for reuse ({reason})"
