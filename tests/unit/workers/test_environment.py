"""The environment that a worker host starts with, and what a worker finds wrong in its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from foldproof.tasks.machine.worker_environment import REMOVED_VARIABLES, THREAD_VARIABLES
from foldproof.tasks.workers.environment import (
    gpu_memory,
    host_environment,
    set_variables_of_slot,
)

ASK = "from foldproof.tasks.workers.environment import wrong_variables as w; print(*w({}))"


def wrong(environment: dict[str, str], threads: int) -> list[str]:
    """Return what a process with an environment says is wrong in it."""
    command = [sys.executable, "-c", ASK.format(threads)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return ended.stdout.split()


def test_a_host_has_none_of_the_users_wishes_and_all_that_bits_depend_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(REMOVED_VARIABLES[0], "1")
    monkeypatch.setenv(THREAD_VARIABLES[0], "7")
    monkeypatch.setenv("OF_THE_USER", "kept")
    found = host_environment(2, tmp_path, {})
    assert REMOVED_VARIABLES[0] not in found
    assert found[THREAD_VARIABLES[0]] == "2"
    assert found["OF_THE_USER"] == "kept"
    assert wrong(found, 2) == []
    assert wrong(found, 1) == list(THREAD_VARIABLES)


def test_an_audit_deviates_where_it_says_so(tmp_path: Path) -> None:
    found = host_environment(1, tmp_path, {REMOVED_VARIABLES[0]: "0"})
    assert wrong(found, 1) == [REMOVED_VARIABLES[0]]


def test_a_slot_sets_its_devices_and_its_share_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(os, "environ", os.environ.copy())
    assert gpu_memory() is None
    set_variables_of_slot("", None)
    assert (os.environ["CUDA_VISIBLE_DEVICES"], gpu_memory()) == ("", None)
    set_variables_of_slot("1", 512)
    assert (os.environ["CUDA_VISIBLE_DEVICES"], gpu_memory()) == ("1", 512)
