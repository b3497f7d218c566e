"""The names of TensorFlow that are private or undocumented, each behind a plain one.

Read from TensorFlow 2.21.0; `test_tensorflow_internals` fails when one of them changes. No
result depends on them: without one, folds take longer or more memory. Runs in workers only.
"""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numpy.typing import NDArray

READ_FROM = "2.21.0"
ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
_OF_CONTEXT = ("_seed", "_set_global_seed", "clear_kernel_cache")


@contextmanager
def kernels_kept() -> Iterator[None]:
    """Let seeds be set without the loss of TensorFlow's cached kernels.

    Where TensorFlow has other names for it, the kernels are thrown away as usual.
    """
    eager = _eager_context()
    if eager is None:
        yield
        return

    def set_seed(seed: int) -> None:
        eager._seed, eager._rng = seed, random.Random(seed)  # noqa: S311 (as TensorFlow does)

    eager.clear_kernel_cache = lambda: None
    eager._set_global_seed = set_seed
    try:
        yield
    finally:
        del eager.clear_kernel_cache, eager._set_global_seed


def _eager_context() -> Any:
    """Return what holds the global seed and the kernels, or None if it is not as it was."""
    try:
        from tensorflow.python.eager import context

        eager = context.context()
    except (ImportError, AttributeError):
        return None
    return eager if all(hasattr(eager, name) for name in _OF_CONTEXT) else None


def onednn_is_on() -> bool:
    """Return whether TensorFlow uses oneDNN in this process, by variable or by default."""
    try:
        from tensorflow.python.util import _pywrap_util_port  # nothing public tells

        return bool(_pywrap_util_port.IsMklEnabled())
    except (ImportError, AttributeError):
        return os.environ.get(ONEDNN, "1") != "0"  # on is the default on x86


def tensor_in_place(array: NDArray[Any]) -> Any:
    """Return an array as a tensor in the same memory, or in a copy where that cannot be had."""
    import tensorflow as tf

    try:
        # A capsule, not the array: of the array, TensorFlow would want to write to.
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    except (AttributeError, TypeError):
        return tf.constant(array)
