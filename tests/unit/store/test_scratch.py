"""A run's scratch folder: kept for as long as its process lives, removed by the next start."""

import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

import pytest

from foldproof.tasks.common.places import ROOT
from foldproof.tasks.store.scratch import (
    ABANDONED_AFTER_S,
    OWNER_FILE,
    make_scratch,
    remove_scratch,
)
from tests.support.namespaces import OTHER_PIDS, can_unshare

HOLD = (
    "import sys, time; from foldproof.tasks.store.scratch import make_scratch\n"
    "print(make_scratch(), flush=True); time.sleep(600)\n"
)
NOBODY = 2**22 + 1  # above the largest number that a process can have


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """A folder for temporary files that several processes use."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield tmp_path
    tempfile.tempdir = None


@pytest.fixture
def holder(shared, start):
    """Start another process that has a scratch folder; its folder, and what ends it."""

    def hold(*before):
        process = start([*before, sys.executable, "-c", HOLD], ROOT)
        process.wait_for(lambda: process.out.endswith("\n"))
        return Path(process.out.strip()), process

    return hold


def next_start() -> None:
    remove_scratch(make_scratch())


def old(folder: Path) -> Path:
    """Make a folder look as if nobody had used it for long."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    then = time.time() - ABANDONED_AFTER_S - 3600
    for path in (folder / "data", folder):
        os.utime(path, (then, then))
    return folder


def test_what_a_living_process_uses_survives(holder):
    folder, _ = holder()
    next_start()
    assert (folder / OWNER_FILE).read_text() == socket.gethostname()


@pytest.mark.skipif(not can_unshare(), reason="this machine allows no namespaces of processes")
def test_what_a_process_of_another_container_uses_survives(holder):
    folder, _ = holder(*OTHER_PIDS)
    moved = folder.rename(folder.with_name(f"foldproof-{NOBODY}-abcdefgh"))
    next_start()
    assert moved.is_dir()


def test_what_a_killed_process_left_is_removed(holder, shared):
    folder, process = holder()
    (folder / "data").mkdir()
    process.send(signal.SIGKILL)
    process.ended()
    next_start()
    assert list(shared.iterdir()) == []


def test_what_another_machine_has_left_or_uses_survives(shared):
    """A lock of another machine may not be seen here: what tells is the machine's name."""
    folder = shared / f"foldproof-{NOBODY}-abcdefgh"
    folder.mkdir()
    (folder / OWNER_FILE).write_text("node-7")
    next_start()
    assert folder.is_dir()


def test_a_folder_without_an_owner_is_removed_once_it_is_forgotten(shared):
    """Version 0.1.0 made such folders; its process may still live, wherever that is."""
    fresh = shared / f"foldproof-{NOBODY}-freshone"
    fresh.mkdir()
    used = old(shared / f"foldproof-{NOBODY}-usedyet0")
    (used / "data" / "features.npy").touch()
    living = old(shared / f"foldproof-{os.getpid()}-isliving")
    forgotten = old(shared / f"foldproof-{NOBODY}-forgotten")
    next_start()
    assert fresh.is_dir()
    assert used.is_dir()
    assert living.is_dir()
    assert not forgotten.exists()


def test_what_only_looks_like_one_is_left_alone(shared):
    names = ("foldproof-1-pipe", "foldproof-1-link", "foldproof-12ab-notes", "foldproof-notes")
    for name in names:
        old(shared / name)
    os.mkfifo(shared / "foldproof-1-pipe" / OWNER_FILE)
    target = shared / "precious"
    target.write_text(socket.gethostname())
    (shared / "foldproof-1-link" / OWNER_FILE).symlink_to(target)
    next_start()
    assert {path.name for path in shared.iterdir()} == {*names, "precious"}
    assert target.read_text() == socket.gethostname()


def test_its_end_leaves_nothing(shared):
    scratch = make_scratch()
    assert [path.name for path in scratch.iterdir()] == [OWNER_FILE]
    remove_scratch(scratch)
    assert list(shared.iterdir()) == []
