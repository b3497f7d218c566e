"""Refuse models that are not fresh: returned by a builder before, or already trained.

The question that started this project is asked by people whose second `fit` goes on from the
weights of the first; a builder that hands out a module's one model would bring that back.
Runs in workers only.
"""

import contextlib
import copy
import random
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.training.internals.keras_internals import all_layers, own_variables

SEEN_ATTRIBUTE = "_foldproof_seen"

# By id: what is in here is alive, so no other object has its id.
_handed_out: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def refuse_used_model(model: Any, builder: str) -> None:
    """Refuse a Keras model with trainable weights that the builder returned before.

    What does not train, such as a frozen base that is loaded once, may be shared.

    Raises:
        InputError: it has such weights, or its optimizer has taken steps.
    """
    states = list(_training_states(model))
    if any(getattr(state, SEEN_ATTRIBUTE, False) for state in states):
        problem = f"{builder} returned weights that it had returned before; make new layers in it"
        raise InputError("model.builder", problem)
    for state in states:
        setattr(state, SEEN_ATTRIBUTE, True)
    step = optimizer_step(model)
    if step:
        problem = f"{builder} returned a model whose optimizer is at step {step}; compile it anew"
        raise InputError("model.builder", problem)


def refuse_used_estimator(model: Any, builder: str) -> None:
    """Refuse an estimator that was handed out before and is still held by somebody.

    Raises:
        InputError: it was.
    """
    if _handed_out.get(id(model)) is model:
        problem = f"{builder} returned the same estimator twice; make a new one in it"
        raise InputError("model.builder", problem)
    with contextlib.suppress(TypeError):  # few have no place for a weak reference
        _handed_out[id(model)] = model


def set_apart(model: Any) -> Any:
    """Return an estimator of a fold's own, which shares nothing with what the builder holds.

    A copy also keeps what `sklearn.base.clone` drops: fitted parts, and one random state for
    several parts. What cannot be copied is returned as it is.
    """
    before = random.getstate(), np.random.get_state()
    try:
        return copy.deepcopy(model)
    except Exception:  # the user's own class may hold anything
        return model
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])


def optimizer_step(model: Any) -> int:
    """Return how many steps a compiled model's optimizer has taken."""
    return int(model.optimizer.iterations.numpy())


def _training_states(model: Any) -> Iterator[Any]:
    """Yield the variables, seeds of random layers included, of each layer that trains."""
    for layer in all_layers(model):
        if layer.trainable:
            yield from own_variables(layer)
