"""Folders of results: whole or not there, and never lost, whatever ends their writer."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from foldproof.tasks.store.atomic_folders import repair_folders, write_folder_atomically
from tests.support.places import ROOT
from tests.support.processes import PATIENCE_S, join_all

WRITE = (
    "import os, signal, sys; from pathlib import Path\n"
    "from foldproof.tasks.store.atomic_folders import write_folder_atomically\n"
    "def fill(draft): (draft / 'file').write_text('new'); {}\n"
    "write_folder_atomically(Path(sys.argv[1]), fill)\n"
)
WAIT = "print('there', flush=True); sys.stdin.read()"


def put(text, name="file"):
    def fill(draft: Path) -> None:
        (draft / name).write_text(text)

    return fill


def content(folder: Path) -> dict[str, str]:
    """Return what stands in each folder of a folder, hidden ones too."""
    return {path.name: (path / "file").read_text() for path in folder.iterdir()}


def left_by_a_crash(folder: Path, host: str = "node-7", pid: int = 4711) -> None:
    """Leave what a process leaves that is killed between its two renames."""
    for ending, text in (("old", "earlier"), ("part", "new")):
        left = folder / f".run.{host}-{pid}.{ending}"
        left.mkdir(parents=True)
        put(text)(left)
    (folder / ".run.lock").touch()


def test_a_later_folder_replaces_an_earlier_one(tmp_path):
    for text in ("first", "second"):
        write_folder_atomically(tmp_path / "runs" / "run", put(text))
        assert content(tmp_path / "runs") == {"run": text}


def test_what_cannot_be_filled_leaves_the_earlier_one(tmp_path):
    write_folder_atomically(tmp_path / "run", put("earlier"))
    with pytest.raises(FileNotFoundError):
        write_folder_atomically(tmp_path / "run", put("x", "no/file"))
    assert content(tmp_path) == {"run": "earlier"}


def test_a_rename_that_fails_puts_the_earlier_one_back(tmp_path):
    """The draft is gone when it is to be renamed, as on a disk that is taken away."""
    write_folder_atomically(tmp_path / "run", put("earlier"))
    with pytest.raises(FileNotFoundError):
        write_folder_atomically(tmp_path / "run", Path.rmdir)
    assert content(tmp_path) == {"run": "earlier"}


MOUNT = (
    "import subprocess, sys; from pathlib import Path\n"
    "from foldproof.tasks.store.atomic_folders import write_folder_atomically\n"
    "def fill(draft):\n"
    "    subprocess.run(['mount', '-t', 'tmpfs', 'none', draft], check=True)\n"
    "    (draft / 'file').write_text('new')\n"
    "try:\n"
    "    write_folder_atomically(Path(sys.argv[1]), fill)\n"
    "except OSError as error:\n"
    "    print(error.strerror)\n"
)
OWN_MOUNTS = ["unshare", "--user", "--map-root-user", "--mount"]


def can_mount(folder: Path) -> bool:
    try:
        command = [*OWN_MOUNTS, "mount", "-t", "tmpfs", "none", str(folder)]
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def test_a_rename_that_the_kernel_refuses_puts_the_earlier_one_back(tmp_path):
    """A file system that is mounted there cannot be renamed: the device is busy."""
    if not can_mount(tmp_path):
        pytest.skip("this machine allows no file systems of one's own")
    write_folder_atomically(tmp_path / "run", put("earlier"))
    command = [*OWN_MOUNTS, sys.executable, "-c", MOUNT, str(tmp_path / "run")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.stdout == "Device or resource busy\n", ended.stderr
    repair_folders(tmp_path)  # the draft could not be removed while it was in use
    assert content(tmp_path) == {"run": "earlier"}


def test_a_file_in_its_place_is_replaced(tmp_path):
    (tmp_path / "run").write_text("a file")
    write_folder_atomically(tmp_path / "run", put("new"))
    assert content(tmp_path) == {"run": "new"}


@pytest.mark.parametrize("host", ["node-7", "node-7.example.org", os.uname().nodename])
def test_what_was_there_before_a_crash_comes_back(tmp_path, host):
    left_by_a_crash(tmp_path, host)
    repair_folders(tmp_path)
    assert content(tmp_path) == {"run": "earlier"}


def test_leftovers_of_any_host_are_removed_by_the_next_one_that_writes(tmp_path):
    left_by_a_crash(tmp_path)
    left_by_a_crash(tmp_path, "node-8", 1)
    write_folder_atomically(tmp_path / "run", put("newest"))
    assert content(tmp_path) == {"run": "newest"}
    left_by_a_crash(tmp_path)
    write_folder_atomically(tmp_path / "other", put("other"))
    assert content(tmp_path) == {"run": "newest", "other": "other"}


def test_a_writer_that_is_killed_leaves_the_earlier_one(tmp_path):
    write_folder_atomically(tmp_path / "run", put("earlier"))
    die = "os.kill(os.getpid(), signal.SIGKILL)"
    command = [sys.executable, "-c", WRITE.format(die), str(tmp_path / "run")]
    assert subprocess.run(command, cwd=ROOT).returncode == -signal.SIGKILL
    assert sorted(path.suffix for path in tmp_path.iterdir()) == ["", ".lock", ".part"]
    repair_folders(tmp_path)
    assert content(tmp_path) == {"run": "earlier"}


def test_what_a_living_process_writes_is_left_alone_and_waited_for(tmp_path):
    command = [sys.executable, "-c", WRITE.format(WAIT), str(tmp_path / "run")]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        repair_folders(tmp_path)
        (draft,) = tmp_path.glob(".run.*.part")
        assert (draft / "file").read_text() == "new"
        second = threading.Thread(
            target=write_folder_atomically, args=(tmp_path / "run", put("second"))
        )
        second.start()
        process.communicate(timeout=PATIENCE_S)
        join_all([second])
    assert process.returncode == 0
    assert content(tmp_path) == {"run": "second"}


def test_nothing_is_mended_where_there_is_nothing(tmp_path):
    repair_folders(tmp_path / "missing")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".gitignore.part").touch()
    repair_folders(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {".hidden", ".gitignore.part"}
