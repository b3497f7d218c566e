"""What is used of TensorFlow beyond its documented API is still there, and can be missed."""

import os
import random

import numpy as np
import pytest
import tensorflow as tf

from foldproof.tasks.training.internals import tensorflow_internals as internals
from tests.support.contracts import demand, missing


def expect(gone: list[str]) -> None:
    demand("tensorflow", internals.READ_FROM, gone, internals.__name__)


@pytest.fixture
def eager():
    """TensorFlow's eager context, with a seed that is set."""
    from tensorflow.python.eager import context

    tf.random.set_seed(1)
    return context.context()


@pytest.fixture
def renamed(eager, monkeypatch):
    """A TensorFlow whose context has another name for what sets the seed."""
    monkeypatch.delattr(type(eager), "_set_global_seed")
    return eager


def test_the_eager_context_has_its_seed_and_its_kernels(eager):
    expect(missing(eager, "_seed", "_rng", "_set_global_seed", "clear_kernel_cache"))
    assert (eager._seed, eager._rng.getstate()) == (1, random.Random(1).getstate())


def test_seeds_are_set_as_by_tensorflow_while_kernels_are_kept(eager):
    tf.random.set_seed(7)
    expected = eager._seed, eager._rng.getstate()
    tf.random.set_seed(8)
    with internals.kernels_kept():
        tf.random.set_seed(7)
    assert (eager._seed, eager._rng.getstate()) == expected
    assert not {"_set_global_seed", "clear_kernel_cache"} & vars(eager).keys()


def test_where_a_name_is_gone_kernels_are_thrown_away_as_usual(renamed):
    with internals.kernels_kept():
        assert "clear_kernel_cache" not in vars(renamed)


def test_tensorflow_tells_of_onednn():
    from tensorflow.python.util import _pywrap_util_port

    expect(missing(_pywrap_util_port, "IsMklEnabled"))
    assert internals.onednn_is_on() == (os.environ.get(internals.ONEDNN, "1") != "0")


@pytest.mark.parametrize(("said", "expected"), [("0", False), ("1", True)])
def test_where_it_does_not_the_variable_counts(monkeypatch, said, expected):
    from tensorflow.python.util import _pywrap_util_port

    monkeypatch.delattr(_pywrap_util_port, "IsMklEnabled")
    monkeypatch.setenv(internals.ONEDNN, said)
    assert internals.onednn_is_on() is expected


def test_a_tensor_shares_the_memory_of_an_array():
    expect(missing(tf.experimental.dlpack, "from_dlpack"))
    space = np.zeros(64 + 1024, np.uint8)
    start = -space.ctypes.data % 64
    array = space[start : start + 1024].view(np.float32)
    tensor = internals.tensor_in_place(array)
    array[0] = 5
    assert float(tensor[0]) == 5


def test_where_memory_cannot_be_shared_a_tensor_is_a_copy(monkeypatch):
    monkeypatch.delattr(tf.experimental.dlpack, "from_dlpack")
    assert internals.tensor_in_place(np.arange(3.0)).numpy().tolist() == [0, 1, 2]
