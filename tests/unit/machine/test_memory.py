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


def test_what_is_free_is_shared_by_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = memory.free_bytes()
    monkeypatch.setattr(memory, "_sharing", 4)
    assert alone / 8 < memory.free_bytes() < alone / 2
    memory.share_memory(0)
    assert memory._sharing == 1


def test_a_control_group_leaves_what_is_not_used_or_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {
        "memory.max": "1000",
        "memory.current": "700",
        "memory.stat": "anon 500\ninactive_file 200\n",
    }.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory, "_cgroup_files", lambda: [(1000, tmp_path / "memory.max")])
    assert memory.free_bytes() == 500
    assert memory.free_text(500).startswith("0 MiB are left to this worker of ")


def test_a_limit_that_a_system_does_not_keep_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    monkeypatch.setattr(memory, "CAN_LIMIT", False)
    memory.limit_memory(256)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
