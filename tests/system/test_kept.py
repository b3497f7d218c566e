"""What a Python process keeps for its next call: the same bits, nothing stale, nothing left."""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from tests.support.command import CV, cv, report_of, run
from tests.support.kept import NETS, digests
from tests.support.prefect_home import made_home
from tests.support.processes import Start, all_gone, family

HEAD = """
import json, os, sys, threading
import psutil
import foldproof

def call(seed, **more):
    given = dict(data="breast_cancer", cv=3, epochs=2, out="warm", seed=seed, model="nets:build")
    return str(foldproof.cross_validate(**given | more).path)

def kept():
    found = psutil.Process().children()
    return sorted(p.pid for p in found if p.is_running() and p.status() != "zombie")
"""


@pytest.fixture
def study(tmp_path) -> Path:
    """A folder with a net, and a module that the net's identity does not show."""
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "hidden.py").write_text("UNITS = 4\n")
    return tmp_path


def told(script: str, folder: Path, **variables: str) -> list[Any]:
    """Run a script without a Prefect API and return what it printed, as JSON."""
    variables = {"PREFECT_API_URL": "", "PREFECT_HOME": made_home(folder / "home")} | variables
    ended = run([sys.executable, "-c", HEAD + script], folder, **variables)
    assert ended.code == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


def cold(folder: Path, seed: int, api: str) -> list[tuple[str, str]]:
    """Return what each fold comes to in a command of its own."""
    arguments = ["--data", "breast_cancer", "--model", "nets:build", "--split.n_splits", "3"]
    arguments += ["--train.epochs", "2", "--seed", str(seed), "--out", f"cold-{seed}"]
    return digests(report_of(run([*CV, *arguments], folder, PREFECT_API_URL=api)))


def test_a_warm_call_gives_the_bits_of_a_cold_one_and_starts_nothing(study, prefect_api):
    script = """
found = []
for seed in (1, 2, 3):
    path = call(seed)
    found.append((path, kept()))
foldproof.shutdown()
print(json.dumps([found, kept(), call(2)]))
"""
    ((found, after, again),) = told(script, study)
    reports, processes = zip(*found, strict=True)
    assert len(processes[0]) == 2  # the host and a Prefect server
    assert processes[0] == processes[1] == processes[2]
    assert after == []
    assert again == reports[1]
    workers = [
        set(parquet.read_table(f"{r}/execution.parquet")["pid"].to_pylist()) for r in reports
    ]
    assert workers[2] <= workers[0] | workers[1]
    for seed, report in enumerate(reports[1:], 2):  # the first call was a cold one itself
        assert digests(report) == cold(study, seed, prefect_api)


@pytest.mark.long
def test_what_changed_is_never_stale(study, prefect_api):
    script = """
from pathlib import Path
from typing import Any
found = [call(1)]
Path("hidden.py").write_text("UNITS = 5  # and longer\\n")
found.append(call(2))
Path("nets.py").write_text(Path("nets.py").read_text().replace("relu", "tanh"))
found.append(call(2))
hosts = [kept()]
os.environ["KERAS_OF_TODAY"] = "1"
found.append(call(3))
hosts.append(kept())
print(json.dumps([found, hosts]))
"""
    ((found, hosts),) = told(script, study)
    assert len({str(digests(report)) for report in found}) == 4
    assert set(hosts[0]) < set(hosts[1])  # another environment has a host of its own
    assert digests(found[2]) == cold(study, 2, prefect_api)
    assert digests(found[3]) == cold(study, 3, prefect_api)


@pytest.mark.long
@pytest.mark.parametrize("end", ["pass", "raise ValueError('mine')", "os.kill(os.getpid(), 9)"])
def test_nothing_is_left_after_any_end(start: Start, study, end):
    script = f"{HEAD}\ncall(1)\nprint('ready', flush=True)\nsys.stdin.readline()\n"
    script += f"import time; time.sleep(3)\n{end}\n"
    home = {"PREFECT_API_URL": "", "PREFECT_HOME": made_home(study / "home"), "TMPDIR": str(study)}
    begun = start([sys.executable, "-c", script], study, **home)
    begun.wait_for(lambda: "ready" in begun.out)
    processes = family(begun.pid)
    assert len(processes) > 3
    ended = begun.ended()
    assert ended.code == {"pass": 0, "raise": 1, "os.ki": -signal.SIGKILL}[end[:5].strip()]
    assert all_gone(processes[1:])
    if ended.code >= 0:
        assert not [path for path in study.iterdir() if path.name.startswith("foldproof-")]


@pytest.mark.long
def test_forks_and_threads_of_the_users_own_share_nothing(study):
    script = """
first = call(1)
before = kept()
child = os.fork()
if child == 0:
    foldproof.shutdown()
    os._exit(0)
os.waitpid(child, 0)
unharmed = kept()
found = {}
threads = [threading.Thread(target=lambda s=s: found.update({s: call(s)})) for s in (2, 3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(json.dumps([before, unharmed, kept(), found]))
"""
    ((before, unharmed, after, found),) = told(script, study)
    assert unharmed == before
    assert len(after) == len(before)  # two calls at once had two hosts; one of them is kept
    assert len(found) == 2
    assert len({str(digests(report)) for report in found.values()}) == 2


def test_a_whole_report_is_the_answer_and_nothing_starts(study, prefect_api):
    arguments = ["--model", "nets:build", "--split.n_splits", "2", "--train.epochs", "1"]
    nowhere = {"PREFECT_API_URL": "", "PREFECT_HOME": made_home(study / "home")}
    first = report_of(cv(*arguments, folder=study))
    manifest = (first / "manifest.json").read_bytes()
    code = f"""
import runpy, sys
sys.argv = {[CV[1], *arguments]}
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    slow = ("prefect", "tensorflow", "keras", "sklearn")
    print([name for name in slow if name in sys.modules], file=sys.stderr)
"""
    again = run([sys.executable, "-c", code], study, **nowhere)
    assert report_of(again) == first
    assert again.err.splitlines()[-1] == "[]"
    assert "all 2 folds are stored, and so is their report" in again.err
    assert (first / "manifest.json").read_bytes() == manifest
    watched = cv(*arguments, folder=study, PREFECT_API_URL=prefect_api)
    assert "from the store" in watched.err  # people may look at it there
    (first / "summary.parquet").write_bytes(b"")
    mended = cv(*arguments, folder=study)
    assert "from the store" in mended.err
    assert (first / "manifest.json").read_bytes() == manifest
    assert (first / "summary.parquet").read_bytes() != b""


@pytest.mark.parametrize("content", [None, b"", b"PAR1 and no more"], ids=["gone", "empty", "odd"])
def test_a_report_without_its_record_of_execution_is_no_answer(tmp_path, content):
    """It stands in no manifest, since it differs between equal runs."""
    arguments = ["--model", "sklearn.naive_bayes:GaussianNB", "--split.n_splits", "2"]
    record = report_of(cv(*arguments, folder=tmp_path)) / "execution.parquet"
    record.unlink() if content is None else record.write_bytes(content)
    again = cv(*arguments, folder=tmp_path)
    assert report_of(again) == record.parent
    assert "from the store" in again.err
    assert parquet.read_table(record).num_rows == 2


@pytest.mark.parametrize("name", ["net.txt", "other"])
def test_a_report_is_no_answer_once_what_the_builder_opens_changed(study, name):
    (study / "net.txt").write_text("4")
    source = NETS.replace("hidden.UNITS", "int(open('net.txt').read())")
    source = source.replace("import keras\n", "import os\nimport keras\n")
    source = source.replace("    return", "    os.path.exists('other')\n    return")
    (study / "nets.py").write_text(source)
    arguments = ["--model", "nets:build", "--split.n_splits", "2", "--train.epochs", "1"]
    first = report_of(cv(*arguments, folder=study))
    assert "and so is their report" in cv(*arguments, folder=study).err
    (study / name).write_text("6")
    changed = cv(*arguments, folder=study)
    assert "and so is their report" not in changed.err
    assert (report_of(changed) == first) == (name == "other")
