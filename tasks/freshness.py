"""Refuse a model that is not new: one that a builder returned before, or that has trained.

The question that started this project is asked by people whose second `fit` goes on from the
weights of the first; a builder that hands out a module's one model would bring that back.
Runs in workers only.
"""

import weakref
from collections.abc import Iterator
from typing import Any

from tasks.errors import InputError

MARK = "_foldproof_seen"

_last_estimator: Any = None


def refuse_used_model(model: Any, builder: str) -> None:
    """Refuse a Keras model with anything that trains and was handed out before.

    What does not train, such as a frozen base that is loaded once, may be shared.

    Raises:
        InputError: it has such weights, or its optimizer has taken steps.
    """
    states = list(_training_states(model))
    if any(getattr(state, MARK, False) for state in states):
        problem = f"{builder} returned weights that it had returned before; make new layers in it"
        raise InputError("model.builder", problem)
    for state in states:
        setattr(state, MARK, True)
    step = optimizer_step(model)
    if step:
        problem = f"{builder} returned a model whose optimizer is at step {step}; compile it anew"
        raise InputError("model.builder", problem)


def refuse_used_estimator(model: Any, builder: str) -> None:
    """Refuse the very estimator that was handed out last.

    Raises:
        InputError: it is.
    """
    global _last_estimator
    if _last_estimator is not None and _last_estimator() is model:
        problem = f"{builder} returned the same estimator twice; make a new one in it"
        raise InputError("model.builder", problem)
    _last_estimator = weakref.ref(model)


def optimizer_step(model: Any) -> int:
    """Return how many steps a compiled model's optimizer has taken."""
    return int(model.optimizer.iterations.numpy())


def _training_states(model: Any) -> Iterator[Any]:
    """Yield the variables, seeds of random layers included, of each layer that trains."""
    for layer in [model, *model._flatten_layers(include_self=False)]:
        if layer.trainable:
            yield from layer._trainable_variables
            yield from layer._non_trainable_variables
            yield from (generator.state for generator in layer._seed_generators)
