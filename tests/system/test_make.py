"""What make says of what it installs, and where Python, or a part of it, is missing."""

import os
import shlex
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.places import ROOT

THIS = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'
WITHOUT_VENV = THIS.replace("exec", 'case "$*" in *ensurepip*) exit 1;; esac\nexec')
OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")  # set where make runs the suite
TOO_OLD = "#!/bin/sh\necho 3.10\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
LARGE = 11_000_000  # bytes of a package, enough to be named
PROJECT = """
[project]
name = "study"
version = "1"
dependencies = ["large"]
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """
import pathlib, shutil

def build_editable(folder, settings=None, metadata=None):
    shutil.copy("study-1-py3-none-any.whl", folder)
    return "study-1-py3-none-any.whl"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "über den wolken"
    made.mkdir()
    shutil.copy(ROOT / "Makefile", made)
    return made


def make(folder: Path, python: str, target: str = ".venv/bin/python") -> tuple[int, list[str]]:
    """Make the environment with a Python of one's own; its exit code and what it printed."""
    path = folder / "python"
    path.write_text(python)
    path.chmod(0o755)
    ended = subprocess.run(
        ["make", target, "PYTHON=./python"],
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


def test_without_a_gpu_nothing_of_one_is_tested(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho No devices were found\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    said = "no GPU here, so nothing of what needs one was tested"
    assert make(folder, THIS, "test-gpu") == (0, [said])
    assert not (folder / ".venv").exists()


def pack(folder: Path, name: str, size: int = 0, needs: str = "") -> None:
    """Write a wheel of some size."""
    info = f"{name}-1.dist-info"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n{needs}"
    with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.txt", bytes(size))
        wheel.writestr(f"{info}/METADATA", about)
        wheel.writestr(f"{info}/WHEEL", WHEEL)
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """An index with one large package; its address."""
    (tmp_path / "index" / "large").mkdir(parents=True)
    pack(tmp_path / "index" / "large", "large", LARGE)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "index"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_what_is_installed_is_said_with_its_size(
    folder: Path, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "constraints.txt").touch()
    pack(folder, "study", needs="Requires-Dist: large\n")
    monkeypatch.setenv("PIP_INDEX_URL", index)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    code, lines = make(folder, THIS, ".venv/.installed")
    assert (code, lines) == (
        0,
        [
            "installing . (2.8 GB in all, some minutes the first time)",
            "  large-1-py3-none-any.whl (11.0 MB)",
            "  unpacking 2 packages",
        ],
    )
    code, lines = make(folder, THIS, ".venv/.installed")
    assert (code, [line for line in lines if "installing" in line]) == (0, [])
