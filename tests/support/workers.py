"""Workers for tests: one with TensorFlow, or a new one of a host that is kept."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.machine.devices import place
from foldproof.tasks.store.scratch import make_scratch, remove_scratch
from foldproof.tasks.workers.slots import Slots


@contextmanager
def keras_worker() -> Iterator[Slots]:
    """Give one worker with TensorFlow, of a host of its own."""
    scratch = make_scratch()
    workers = Slots(place(ComputeSpec(workers=1)), True, scratch, scratch / "log")
    yield workers
    workers.stop()
    remove_scratch(scratch)


@contextmanager
def new_worker() -> Iterator[Slots]:
    """Give one worker without TensorFlow, which starts in the working directory."""
    scratch = make_scratch()
    given = (place(ComputeSpec(workers=1)), False, scratch, scratch / "log")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTEST_CURRENT_TEST", raising=False)  # a kept host has one environment
        workers = Slots(*given, keep=True, libraries=["sklearn.linear_model"])
    yield workers
    workers.release()
    remove_scratch(scratch)
