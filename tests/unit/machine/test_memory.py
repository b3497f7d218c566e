"""What a process knows of its memory, also where the kernel tells less than Linux does."""

import resource
from pathlib import Path

import pytest

from foldproof.tasks.machine import memory


def test_without_proc_the_peak_is_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    held = memory.held_mib()
    assert 10 < held <= memory.peak_mib()

    def refuse(path: Path) -> str:
        raise FileNotFoundError(str(path))

    monkeypatch.setattr(Path, "read_text", refuse)
    assert memory.held_mib() == memory.peak_mib() >= held / 2
    assert memory.times_killed_for_memory() == 0
    assert memory.allowance_text(None).endswith("MiB, all that the machine has")


def test_a_limit_that_a_system_does_not_keep_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    monkeypatch.setattr(memory, "CAN_LIMIT", False)
    memory.limit_memory(256)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
