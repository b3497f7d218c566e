"""Ways to run the same training; all give the same bits.

`train` chooses: a compiled model that the worker keeps, where that is provably the same,
else Keras as it is.
"""

from collections.abc import Callable
from typing import Any

from tasks.config import TrainSpec
from tasks.engines import compiled, plain
from tasks.engines.compiled import CompiledModel, NotReusable
from tasks.material import Material
from tasks.progress_file import Progress
from tasks.trained import History

# The model that this worker keeps, or why it keeps none, for the model in hand.
_kept: dict[str, CompiledModel | str] = {}

Begun = tuple[Any, Callable[[Material, Progress], tuple[History, int, int | None]], str]


def begin(
    build: Callable[[int], Any],
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

    Returns:
        The model before its first batch, what trains it, and why it is not the compiled
        one, or an empty text.

    Raises:
        NotReusable: engine compiled, and it cannot be.
    """
    reason = ""
    if train.engine != "plain":
        try:
            kept = _keep(build, identity, material, train)
            model = compiled.adopt(kept, build(seed))
            return model, lambda m, p: compiled.run(kept, m, train, order_seed, p), ""
        except NotReusable as error:
            reason = str(error)
            if train.engine == "compiled":
                raise
    model = build(seed)
    return model, lambda m, p: plain.run(model, m, train, order_seed, p), reason


def _keep(
    build: Callable[[int], Any], identity: str, material: Material, train: TrainSpec
) -> CompiledModel:
    known = _kept.get(identity)
    if known is None:
        _kept.clear()  # a worker keeps one model: that of the run in hand
        known = _kept[identity] = _prepare(build, material, train)
    if isinstance(known, str):
        raise NotReusable(known)
    return known


def _prepare(
    build: Callable[[int], Any], material: Material, train: TrainSpec
) -> CompiledModel | str:
    try:
        return compiled.prepare(build, material, train)
    except NotReusable as error:
        return str(error)
    except Exception as error:  # whatever it is, plain Keras will show it in the user's terms
        return f"it could not be compiled for reuse ({type(error).__name__})"
