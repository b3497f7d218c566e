"""Commands that a warm process does: the bits of cold ones, nothing stale, nothing left."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from tests.support.command import CV, contents, report_of, run
from tests.support.kept import NETS, digests
from tests.support.prefect_home import made_home
from tests.support.processes import Ended, Start, all_gone, family, lives, wait_for

FOLDPROOF = [sys.executable, "-m", "foldproof"]
STUDY = ["--model", "nets:build", "--split.n_splits", "3", "--train.epochs", "2"]
WARM = ["--keep-warm", "5m"]


class Place(NamedTuple):
    """A folder with a net, and an environment whose warm processes are its own."""

    folder: Path
    variables: dict[str, str]

    def run(self, *arguments: str, **more: str) -> Ended:
        return run([*CV, *STUDY, *arguments], self.folder, **self.variables | more)

    def ask(self, word: str) -> Ended:
        return run([*FOLDPROOF, word], self.folder, **self.variables)

    def warm(self) -> list[psutil.Process]:
        """Return the warm processes, which have this folder's sockets."""
        sockets = (self.folder / "sockets" / "foldproof").glob("*.socket")
        pids = [int(path.stem.partition("-")[2]) for path in sockets]
        return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]


@pytest.fixture(scope="session")
def home(tmp_path_factory) -> str:
    """A home of Prefect's for all tests here."""
    return made_home(tmp_path_factory.mktemp("home"))


@pytest.fixture
def place(tmp_path, home) -> Iterator[Place]:
    """Folders of its own for a test, which may have long names."""
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "hidden.py").write_text("UNITS = 4\n")
    for name in ("sockets", "scratch"):
        (tmp_path / name).mkdir()
    given = {"XDG_RUNTIME_DIR": "sockets", "TMPDIR": "scratch"}
    given = {name: str(tmp_path / folder) for name, folder in given.items()}
    made = Place(tmp_path, given | {"PREFECT_HOME": home, "PREFECT_API_URL": ""})
    yield made
    for process in made.warm():
        processes = family(process.pid)
        process.kill()
        assert all_gone(processes)


def test_a_warm_command_gives_the_files_of_a_cold_one_and_starts_nothing(place):
    found, processes = [], []
    for seed in ("1", "2"):
        found.append(report_of(place.run(*WARM, "--seed", seed)))
        (warm,) = place.warm()
        processes.append({each.pid for each in family(warm.pid)})
    assert processes[0] == processes[1]
    assert len(processes[0]) > 3
    said = place.ask("status").out
    assert f"process {warm.pid}" in said
    assert "keeps a Prefect server, a worker host with" in said
    cold = [report_of(place.run("--seed", seed, "--out", "cold")) for seed in ("1", "2")]
    assert [contents(report) for report in found] == [contents(report) for report in cold]
    left = family(warm.pid)
    assert place.ask("stop").out == f"process {warm.pid}, foldproof 0.2.0: ended\n"
    assert all_gone(left)
    assert place.ask("status").err == "nothing is kept warm\n"
    for name in ("sockets/foldproof", "scratch"):
        assert list((place.folder / name).iterdir()) == []


@pytest.mark.long
def test_what_changed_between_two_commands_is_never_stale(place):
    found = [report_of(place.run(*WARM))]
    (place.folder / "hidden.py").write_text("UNITS = 5  # and longer\n")
    found.append(report_of(place.run(*WARM, "--seed", "2")))
    source = (place.folder / "nets.py").read_text()
    (place.folder / "nets.py").write_text(source.replace("relu", "tanh"))
    found.append(report_of(place.run(*WARM, "--seed", "2")))
    (warm,) = place.warm()
    assert len({str(digests(report)) for report in found}) == 3
    cold = report_of(place.run("--seed", "2", "--out", "cold"))
    assert digests(cold) == digests(found[2])
    place.run(*WARM, "--seed", "2", OF_TODAY="1")
    assert len(place.warm()) == 2  # another environment has a process of its own
    assert lives(warm)


@pytest.mark.long
def test_commands_are_told_apart_as_cold_ones_are(place):
    other = place.folder / "other"
    other.mkdir()
    for name in ("nets.py", "hidden.py"):
        (other / name).write_text((place.folder / name).read_text())
    first = place.run(*WARM, "--quiet")
    second = Place(other, place.variables).run(*WARM, "--quiet")
    assert [first.err, second.err] == ["", ""]
    assert report_of(first).parents[2] == place.folder
    assert report_of(second).parents[2] == other
    assert contents(report_of(first)) == contents(report_of(second))
    wrong = place.run(*WARM, "--split.n_splits", "1")
    cold = place.run("--split.n_splits", "1")
    assert (wrong.code, wrong.out, wrong.err) == (2, "", cold.err)
    helped = place.run(*WARM, "--help")
    assert helped == place.run("--help")
    closed = ["bash", "-c", f"{' '.join([*CV, *STUDY, *WARM])} --seed 9 <&-"]
    assert run(closed, place.folder, **place.variables).code == 0
    piped = f"{' '.join([*CV, *STUDY, *WARM])} 2>&1 | tail -1"
    assert "report: " in run(["bash", "-c", piped], place.folder, 60, **place.variables).out
    assert len(place.warm()) == 1  # a pipe is no terminal either


@pytest.mark.parametrize("text", ["soon", "0", "-1m", "169h", "1e3", "10 m s"])
def test_a_wrong_time_is_one_line(place, text):
    ended = place.run("--keep-warm", text)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"--keep-warm: {text!r} is no time; write 90s, 10m or 1h, up to 168h\n"


def test_a_folder_that_others_may_enter_is_refused(place):
    folder = place.folder / "sockets" / "foldproof"
    folder.mkdir(mode=0o755)
    for ended in (place.run(*WARM), place.ask("status")):
        assert ended.code == 2
        assert ended.err.count("\n") == 1
        assert "is not a folder of yours alone (mode 700)" in ended.err


@pytest.mark.long
def test_it_ends_when_it_was_idle_for_that_long(place):
    report_of(place.run("--keep-warm", "2s"))
    for process in place.warm():
        assert all_gone(family(process.pid), patience=60)
    wait_for(lambda: not place.warm())
    assert list((place.folder / "scratch").iterdir()) == []


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("who", ["command", "process"])
def test_nothing_is_lost_or_left_when_one_is_stopped(start: Start, place, who, number):
    report_of(place.run(*WARM))
    (warm,) = place.warm()
    long = ["--train.epochs", "2000", "--split.n_splits", "5"]
    begun = start([*CV, *STUDY, *long, *WARM], place.folder, **place.variables)
    begun.wait_for(lambda: "1 of 5" in begun.err)
    processes = family(warm.pid)
    os.kill(begun.pid if who == "command" else warm.pid, number)
    ended = begun.ended()
    assert all_gone(processes, patience=30)
    if number != signal.SIGKILL:
        assert ended.code == 128 + number
        assert "finished folds are stored" in ended.err
    elif who == "process":
        assert ended.code == 1
        assert ended.err.splitlines()[-1].startswith("error: the warm process of this command")
    if number != signal.SIGKILL or who == "command":
        assert list((place.folder / "scratch").iterdir()) == []
    assert place.warm() == []
    finished = place.run(*long, *WARM)
    assert finished.code == 0
    assert "from the store" in finished.err


@pytest.mark.long
def test_two_commands_at_once_do_not_wait_for_each_other(start: Start, place):
    report_of(place.run(*WARM))
    both = [
        start([*CV, *STUDY, *WARM, "--seed", seed], place.folder, **place.variables)
        for seed in ("2", "3")
    ]
    assert [each.ended().code for each in both] == [0, 0]
    assert len(place.warm()) == 2
    said = place.ask("stop").out
    assert said.count("ended") == 2
    assert place.warm() == []


@pytest.mark.long
def test_a_comparison_is_warm_too(place):
    for number, units in enumerate(("relu", "tanh")):
        (place.folder / f"{units}.yaml").write_text(
            f"model: {{builder: nets:build}}\nseed: 3\ntrain: {{epochs: {number + 1}}}\n"
            "split: {n_splits: 3}\n"
        )
    command = [*FOLDPROOF, "compare", "relu.yaml", "tanh.yaml"]
    report_of(place.run(*WARM))
    (process,) = place.warm()
    before = {each.pid for each in family(process.pid)}
    ended = run([*command, *WARM], place.folder, **place.variables)
    assert ended.code == 0, ended.err
    again = run([*command, "--out", "cold"], place.folder, **place.variables)
    assert again.code == 0, again.err
    after = {each.pid for each in family(process.pid)}
    assert len(before & after) >= 3  # itself, the server and the host
    outs = [place.folder / out / "comparisons" for out in ("reports", "cold")]
    warm, cold = (contents(next(out.iterdir())) for out in outs)
    assert warm == cold
