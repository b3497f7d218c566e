"""Folds that were being written when their process was killed: removed, unless it lives."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from foldproof.tasks.common.places import ROOT
from foldproof.tasks.store.drafts import remove_drafts
from foldproof.tasks.store.scratch import ABANDONED_AFTER_S
from tests.support.namespaces import OTHER_PIDS, can_unshare
from tests.support.reports import prepared, settings
from tests.support.stored import KEY

# Writes a fold as a run does, and stays where its draft is there and not yet in its place.
WRITE = """
import os, sys, threading
from pathlib import Path
from foldproof.tasks.store import fold_file as store
from foldproof.tasks.store.locks import fold_lock
from tests.support.stored import finished

def wait(handle):
    print("there", flush=True)
    sys.stdin.read()

store.os.fsync = wait
path = Path(sys.argv[1])
with fold_lock(path, threading.Event()):
    store.write_fold(finished(), path)
"""
Writer = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def folds(tmp_path: Path) -> Path:
    (tmp_path / "folds").mkdir()
    return tmp_path / "folds"


@pytest.fixture
def writer(folds: Path) -> Iterator[Writer]:
    """Start a process that is writing a fold; what it wrote so far is there on return."""
    started = []

    def start(*before: str) -> subprocess.Popen[str]:
        command = [*before, sys.executable, "-c", WRITE, str(folds / f"{KEY}.parquet")]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        process = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)  # type: ignore[call-overload]
        started.append(process)
        assert process.stdout.readline() == "there\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def drafts(folds: Path) -> list[Path]:
    return list(folds.glob(".*.part"))


def test_what_a_killed_process_had_begun_is_removed(folds: Path, writer: Writer) -> None:
    process = writer()
    process.kill()
    process.wait()
    assert len(drafts(folds)) == 1
    remove_drafts(folds)
    assert list(folds.iterdir()) == []


@pytest.mark.parametrize("before", [[], OTHER_PIDS], ids=["here", "in a container"])
def test_what_a_living_process_writes_stays(folds: Path, writer: Writer, before: list[str]) -> None:
    if before and not can_unshare():
        pytest.skip("this machine allows no namespaces of processes")
    process = writer(*before)
    remove_drafts(folds)
    assert len(drafts(folds)) == 1
    process.communicate()
    assert process.returncode == 0
    assert [path.name for path in folds.iterdir()] == [f"{KEY}.parquet"]


def test_what_another_machine_writes_stays_until_it_must_be_dead(folds: Path) -> None:
    """The lock of another machine may not be seen here."""
    draft = folds / f".{KEY}.node-7.example.org-4711.part"
    draft.touch()
    remove_drafts(folds)
    assert drafts(folds) == [draft]
    long_ago = time.time() - ABANDONED_AFTER_S - 3600
    os.utime(draft, (long_ago, long_ago))
    remove_drafts(folds)
    assert list(folds.iterdir()) == []


def test_other_files_in_the_store_stay(folds: Path) -> None:
    names = {f"{KEY}.parquet", f"{KEY}.damaged", ".gitignore", ".notes.part", f"{KEY}.part"}
    for name in names:
        (folds / name).touch()
    remove_drafts(folds)
    assert {path.name for path in folds.iterdir()} == names
    remove_drafts(folds / "missing")


def test_the_next_run_removes_what_is_left(tmp_path: Path) -> None:
    with prepared(settings(tmp_path)) as run:
        left = run.out / "folds" / f".{KEY}.{socket.gethostname()}-1.part"
        left.write_bytes(b"half a fold")
        run.check()
        assert drafts(run.out / "folds") == []
