"""Fixtures that several test files share."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

if not os.access(Path.home(), os.W_OK):  # before Prefect is imported, which warns of that
    _home = tempfile.TemporaryDirectory()
    os.environ["HOME"] = _home.name

# Workers import the tests' own modules, which no script of a user's is among.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(Path(__file__).parents[1]), *filter(None, [os.getenv("PYTHONPATH")])]
)

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.dataset import Dataset, prepare_data
from foldproof.tasks.prefect_flow.lifecycle import EMBEDDED_FLUSH_TIMEOUT_S, flush_to_api
from foldproof.tasks.prefect_server.server import EmbeddedServer
from foldproof.tasks.workers.slots import Slots
from tests.support.inputs import Prepare
from tests.support.left_out import (  # noqa: F401 (pytest finds its hooks here)
    pytest_deselected,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)
from tests.support.prefect_home import made_home
from tests.support.processes import Start, starting
from tests.support.warm import stop_warm
from tests.support.workers import keras_worker, new_worker

FOLDERS = ("system", "integration", "unit")  # in the order in which their tests run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start commands that go on while the test does something; they end with it."""
    with starting(tmp_path_factory.mktemp("logs")) as starter:
        yield starter


@pytest.fixture
def prepare(tmp_path_factory: pytest.TempPathFactory) -> Prepare:
    """Prepare data in a folder of its own: from settings, or from a finished DataSpec."""

    def make(spec: DataSpec | None = None, fold_column: str | None = None, **given: Any) -> Dataset:
        folder = tmp_path_factory.mktemp("data")
        return prepare_data(spec or DataSpec(**given), fold_column, folder)

    return make


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Prefect server with a database of its own; the address of its API."""
    home = tmp_path_factory.mktemp("prefect")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", made_home(home))
        server = EmbeddedServer(home / "log")
    server.wait()
    yield server.url
    flush_to_api(
        EMBEDDED_FLUSH_TIMEOUT_S
    )  # or what is still held back would be complained of after the last test
    server.stop()


@pytest.fixture(scope="session")
def slots() -> Iterator[Slots]:
    """One warm worker with TensorFlow, for tests of what is trained and not of how it starts."""
    with keras_worker() as worker:
        yield worker


@pytest.fixture
def light() -> Iterator[Slots]:
    """One worker without TensorFlow, in which nothing of the user's is imported yet."""
    with new_worker() as worker:
        yield worker


@pytest.fixture(scope="session", autouse=True)
def _warm_commands() -> Iterator[None]:
    """End the warm processes of the session's commands with it."""
    yield
    stop_warm()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: small tests at the end keep both workers of xdist busy."""
    tests = Path(__file__).parent
    items.sort(key=lambda item: FOLDERS.index(item.path.relative_to(tests).parts[0]))


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name tables by their argument: what they print as holds addresses, new in every process."""
    return argname if isinstance(val, dict) else None
