"""Seed everything that a builder and a model can draw from. Runs in workers only.

`tf.random.set_seed` and `keras.utils.clear_session` throw all of TensorFlow's cached kernels
away, and with them the training loop's graph, which then is put together again for every
fold. They do it for random operations that ran outside graphs and go on where they stopped.
The kernel of such an operation is cached under the global seed, so that another seed gets a
fresh one anyway: kernels may stay until a seed comes back.
"""

import random
from typing import Any

import numpy as np

from foldproof.tasks.training.dtype_policy import restore_policy
from foldproof.tasks.training.internals.tensorflow_internals import kernels_kept

_seeds: set[int] = set()  # since kernels were thrown away last


def seed_everything(seed: int, keras_loaded: bool, keep_kernels: bool = False) -> None:
    """Set the seeds of Python, NumPy and, where it is loaded, TensorFlow.

    Keras draws its initializers' seeds from Python's `random`, so all three count.

    Args:
        seed: the same for all of them.
        keras_loaded: seed TensorFlow, too, and start Keras's layer names anew.
        keep_kernels: keep TensorFlow's kernels, if this seed is new to them.
    """
    if not keras_loaded:
        random.seed(seed)
        np.random.seed(seed)
    elif keep_kernels and seed not in _seeds:
        with kernels_kept():
            _seed_keras(seed)
        _seeds.add(seed)
    else:
        _seed_keras(seed)
        _seeds.clear()
        _seeds.add(seed)


def _seed_keras(seed: int) -> None:
    import keras

    # Automatic layer names start anew, or get_layer("dense") fails in a second fold.
    keras.utils.clear_session(free_memory=False)
    restore_policy()
    keras.utils.set_random_seed(seed)


def seed_estimator(model: Any, seed: int) -> Any:
    """Set every `random_state` that is None to the fold's seed."""
    states = {
        name: seed
        for name, value in model.get_params().items()
        if name.split("__")[-1] == "random_state" and value is None
    }
    return model.set_params(**states)
