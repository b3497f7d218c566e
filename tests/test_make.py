"""What make says where Python, or a part of it, is missing."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from foldproof.tasks.common.places import ROOT

THIS = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'
WITHOUT_VENV = THIS.replace("exec", 'case "$*" in *ensurepip*) exit 1;; esac\nexec')
OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")  # set where make runs the suite
TOO_OLD = "#!/bin/sh\necho 3.10\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "über den wolken"
    made.mkdir()
    shutil.copy(ROOT / "Makefile", made)
    return made


def make(folder: Path, python: str) -> tuple[int, list[str]]:
    """Make the environment with a Python of one's own; its exit code and what it printed."""
    path = folder / "python"
    path.write_text(python)
    path.chmod(0o755)
    ended = subprocess.run(
        ["make", ".venv/bin/python", "PYTHON=./python"],
        cwd=folder,
        env={n: v for n, v in os.environ.items() if n not in OF_MAKE},
        capture_output=True,
        text=True,
    )
    lines = (ended.stdout + ended.stderr).splitlines()
    return ended.returncode, [line for line in lines if not line.startswith("make: ***")]


def test_a_missing_venv_names_the_package_that_holds_it(folder: Path) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    code, lines = make(folder, WITHOUT_VENV)
    assert code == 2
    assert lines == [
        f"make: Python's venv is missing; install it: apt-get install python{version}-venv"
    ]
    assert not (folder / ".venv").exists()


def test_a_python_that_is_too_old_is_named(folder: Path) -> None:
    code, lines = make(folder, TOO_OLD)
    assert code == 2
    assert lines == [
        "make: Python 3.11, 3.12 or 3.13 is needed, found 3.10; set PYTHON=/path/to/python3.11"
    ]


def test_an_environment_is_made_in_a_folder_with_a_space_and_an_umlaut(folder: Path) -> None:
    assert make(folder, THIS) == (0, [])
    assert (folder / ".venv" / "bin" / "python").exists()
