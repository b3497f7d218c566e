"""A wrong setting is refused before anything slow is loaded, so it serves as a command here."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from foldproof.tasks.cli.status import show_status, stop_all
from foldproof.tasks.cli.warm.client import FORWARDED
from foldproof.tasks.cli.warm.request import FLAG, done_warm
from tests.support.processes import all_gone

WRONG = [FLAG, "1m", "--train.epochs", "many"]


@pytest.fixture
def sockets(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of this test's warm processes, which end with it."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(here))
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # it differs between a test and its fixtures
    monkeypatch.setattr(sys, "argv", ["foldproof"])
    before = {number: signal.getsignal(number) for number in FORWARDED}
    yield here / "foldproof"
    stop_all([])
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_warm_process_refuses_what_a_command_refuses(sockets, capfd):
    assert done_warm("cv", WRONG) == 2
    (socket,) = sockets.iterdir()
    assert done_warm("cv", [*WRONG, "--seed", "2"]) == 2
    assert list(sockets.iterdir()) == [socket]
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == [err.splitlines()[0]] * 2
    assert err.startswith("train.epochs: ")


def test_what_is_kept_is_shown_and_ended(sockets, capfd):
    done_warm("cv", WRONG)
    capfd.readouterr()
    assert show_status([]) == 0
    said = capfd.readouterr().out
    assert ": idle, ends in " in said
    assert said.endswith("keeps no processes of its own\n")
    assert stop_all([]) == 0
    assert capfd.readouterr().out.endswith(": ended\n")
    assert list(sockets.iterdir()) == []
    assert show_status([]) == 0
    assert capfd.readouterr().err == "nothing is kept warm\n"


def test_what_differs_has_a_process_of_its_own(sockets, monkeypatch):
    done_warm("cv", WRONG)
    monkeypatch.setenv("OF_TODAY", "1")
    done_warm("cv", WRONG)
    assert len(list(sockets.iterdir())) == 2


def test_a_killed_process_is_replaced(sockets):
    done_warm("cv", WRONG)
    (killed,) = sockets.iterdir()
    process = psutil.Process(int(killed.stem.partition("-")[2]))
    process.kill()
    assert all_gone([process])
    assert done_warm("cv", WRONG) == 2
    (other,) = sockets.iterdir()
    assert other != killed


def test_without_the_wish_nothing_is_done(sockets):
    assert done_warm("cv", ["--train.epochs", "many"]) is None
    assert not sockets.exists()


def test_a_folder_of_others_is_refused(sockets, capfd):
    sockets.mkdir(mode=0o755)
    assert done_warm("cv", WRONG) == 2
    assert show_status([]) == 2
    assert capfd.readouterr().err.count("is not a folder of yours alone (mode 700)") == 2
    sockets.chmod(0o700)
