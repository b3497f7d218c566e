"""A home that cannot be written to, as in containers: the run goes on, and says so in one line."""

import os
from pathlib import Path

import pytest

from foldproof.tasks.common.errors import RunFailed
from foldproof.tasks.prefect_server.home import prefect_home, usable_home
from foldproof.tasks.prefect_server.server import EmbeddedServer
from tests.support.command import cv, report_of

SMALL = ["--model", "sklearn.linear_model:LogisticRegression", "--split.n_splits", "2"]


@pytest.fixture(autouse=True)
def _no_home_of_prefect(monkeypatch):
    monkeypatch.delenv("PREFECT_HOME", raising=False)


def test_a_new_home_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "new"))
    assert usable_home(tmp_path / "spare") == tmp_path / "new" / ".prefect"
    assert (tmp_path / "new" / ".prefect").is_dir()


def test_a_named_home_counts_over_the_user_s(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "named"))
    assert usable_home(tmp_path / "spare") == prefect_home() == tmp_path / "named"


@pytest.mark.parametrize("name", ["HOME", "PREFECT_HOME"])
def test_a_home_that_cannot_be_made_gives_way_to_the_spare_one(tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, "/proc/nothing")
    assert usable_home(tmp_path / "spare") == tmp_path / "spare"


def test_a_home_below_a_file_gives_way_to_the_spare_one(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    assert usable_home(tmp_path / "spare") == tmp_path / "spare"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_sealed_database_gives_way_to_the_spare_home(tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    (tmp_path / "prefect.db").touch(mode=0o400)
    assert usable_home(tmp_path / "spare") == tmp_path / "spare"


def test_a_run_without_a_home_ends_well_and_says_what_became_of_its_records(tmp_path):
    ended = cv(*SMALL, folder=tmp_path, HOME="/proc/nothing", PREFECT_API_URL="")
    assert report_of(ended).is_dir()
    assert (
        "PREFECT_HOME: '/proc/nothing/.prefect' cannot be written to; Prefect's records of this "
        "run end with it; set PREFECT_HOME to a folder of yours to keep them"
    ) in ended.err.splitlines()
    assert "Warning" not in ended.err + ended.out


def test_a_server_that_does_not_start_is_one_line(tmp_path: Path):
    (tmp_path / "home" / "prefect.db").mkdir(parents=True)
    server = EmbeddedServer(tmp_path / "log", tmp_path / "home")
    with pytest.raises(RunFailed) as caught:
        server.wait()
    server.stop()
    said = str(caught.value)
    assert said.startswith("the embedded Prefect server did not start (")
    assert "unable to open database file" in said
    assert said.endswith("; --verbose shows all of it")
    assert len(said.splitlines()) == 1
