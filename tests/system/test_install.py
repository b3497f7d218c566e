"""`pip install .` and then `foldproof cv` in another folder, beside modules of the user's own."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from foldproof.tasks.common.places import FOLDERS, ROOT
from tests.support.command import report_of, run

pytestmark = pytest.mark.long

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
SOURCES = ("foldproof", *FOLDERS, "pyproject.toml", "setup.py", "README.md", "LICENSE")
BASELINE = ("--model.builder", "sklearn.linear_model:LogisticRegression", "--split.n_splits", "2")


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """An environment with foldproof from a wheel, and all else from this one; its programs."""
    folder = tmp_path_factory.mktemp("installed")
    for name in SOURCES:  # a wheel of a folder that was built in holds what was there before
        place = folder / "source" / name
        place.parent.mkdir(exist_ok=True)
        if (ROOT / name).is_dir():
            no_caches = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, place, symlinks=True, ignore=no_caches)
        else:
            shutil.copy2(ROOT / name, place)
    wheels = folder / "wheels"
    built = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", str(wheels)]
    subprocess.run([*built, str(folder / "source")], check=True)
    venv.create(folder / "venv", with_pip=False)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    install = [*PIP, "--python", str(folder / "venv"), "install", "--no-deps", "--no-index"]
    # With the checkout on its path, pip finds foldproof there and has nothing left to do.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([*install, *map(str, wheels.iterdir())], env=environment, check=True)
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv" / "bin"


@pytest.fixture(autouse=True)
def _what_is_installed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)  # which leads to the checkout in other tests


@pytest.fixture
def study(tmp_path) -> Path:
    """A folder of the user's with modules that are called as ours are."""
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "__init__.py").touch()
    (tmp_path / "flows" / "nets.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "def build(C=1.0):\n    return LogisticRegression(C=C)\n"
    )
    (tmp_path / "tasks.py").write_text("from flows.nets import build\n")
    return tmp_path


def test_every_file_that_is_no_code_came_along(installed, tmp_path):
    code = "import foldproof, pathlib; print(pathlib.Path(foldproof.__file__).parent)"
    ended = run([str(installed / "python"), "-c", code], tmp_path)
    package = Path(ended.out.strip())
    assert package.is_relative_to(installed.parent)
    assert (package / "py.typed").exists()
    for folder in FOLDERS:
        ours = {
            path.relative_to(ROOT)
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert ours
        assert not {path for path in ours if not (package / path).exists()}


def test_the_commands_work_in_another_folder_beside_the_users_modules(
    installed, study, prefect_api
):
    variables = {"PREFECT_API_URL": prefect_api}
    foldproof = str(installed / "foldproof")
    first = report_of(run([foldproof, "cv", *BASELINE], study, **variables))
    assert first.parent == study / "reports" / "runs"
    for builder in ("tasks:build", "flows.nets:build"):
        arguments = ["cv", "--model.builder", builder, "--split.n_splits", "2"]
        assert report_of(run([foldproof, *arguments], study, **variables)).is_dir()
    mlp = ["--model.builder", "tasks.models:mlp", "--split.n_splits", "2", "--train.epochs", "1"]
    module = [str(installed / "python"), "-m", "foldproof"]
    assert report_of(run([*module, "cv", *mlp], study, **variables)).is_dir()
    verified = run([*module, "verify", str(first), "--folds", "1"], study)
    assert (verified.code, verified.out.splitlines()[-1]) == (0, "identical")


def test_a_report_has_the_same_name_however_foldproof_is_there(installed, study, prefect_api):
    """What is installed counts by its version, and so does a checkout."""
    variables = {"PREFECT_API_URL": prefect_api}
    theirs = report_of(run([str(installed / "foldproof"), "cv", *BASELINE], study, **variables))
    script = [sys.executable, str(ROOT / "flows" / "cv.py"), *BASELINE, "--out", "other"]
    assert report_of(run(script, study, **variables)).name == theirs.name


def test_python_finds_the_public_names_and_the_deployments(installed, study):
    code = (
        "import foldproof, tasks, flows.nets\n"
        "from foldproof.deployments.definitions import definitions\n"
        "print(foldproof.cross_validate.__name__, tasks.build().C, len(definitions()))"
    )
    ended = run([str(installed / "python"), "-c", code], study)
    assert (ended.out.split()[:2], ended.code) == (["cross_validate", "1.0"], 0), ended.err
