"""Collecting pauses while libraries load, and goes on in whatever process runs after that."""

import gc
from pathlib import Path

from foldproof.tasks.common.process import collection
from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.machine.devices import place
from foldproof.tasks.workers.slots import Slots


def test_what_is_there_when_collecting_goes_on_is_looked_at_no_more() -> None:
    collection.pause()
    try:
        assert not gc.isenabled()
        collection.go_on()
        assert gc.isenabled()
        frozen = gc.get_freeze_count()
        assert frozen > 0
        collection.go_on()  # where it goes on already, nothing more is left out
        assert gc.get_freeze_count() <= frozen  # what is frozen may still be freed
    finally:
        gc.enable()
        gc.unfreeze()


def test_workers_collect(tmp_path: Path) -> None:
    slots = Slots(place(ComputeSpec(workers=1)), False, tmp_path, tmp_path / "log")
    try:
        assert slots.slots[0].run(gc.isenabled)
        assert slots.slots[0].run(gc.get_freeze_count) > 0
    finally:
        slots.stop()
