"""The first half second of a command: what it says, and what it does not load for that."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from foldproof.tasks.common.version import VERSION
from foldproof.tasks.run.views.status_line import ERASE, StatusLine, greet, line
from tests.support.places import ROOT

WARNING = "warning: 'case' is a word for the positive class, yet positive: 'control' (20 of 30)"
NAMES = ("cv", "verify", "compare", "audit")
HEAVY = ("prefect", "tensorflow", "keras", "pandas", "pyarrow", "sklearn", "scipy")
WRONG = {
    "cv": (["--train.epochs", "x"], "train.epochs: must be a whole number, not 'x'\n"),
    "verify": (["run", "--level", "x"], "--level: 'x' is none; use bit, numeric, statistical\n"),
    "compare": (["a.yaml"], "command line: give two or more files to compare; see --help\n"),
    "audit": (["--fold", "x"], "--fold: 'x' is not REPEAT/FOLD; both count from 0, such as 0/3\n"),
}
# Runs a script as a person does, and tells which modules it had loaded in the end.
LOADED = """
import json, runpy, sys
script, told, *sys.argv[1:] = sys.argv[1:]
sys.argv[0] = script
try:
    runpy.run_path(script, run_name="__main__")
finally:
    open(told, "w").write(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
# A standard error that is a terminal; tells which modules were loaded at the first word.
FIRST_WORD = """
import io, json, runpy, sys
script, told, *sys.argv[1:] = sys.argv[1:]
sys.argv[0] = script

class Terminal(io.StringIO):
    def isatty(self):
        return True

    def write(self, text):
        loaded = sorted({name.partition(".")[0] for name in sys.modules})
        open(told, "w").write(json.dumps([text, loaded]))
        raise SystemExit

sys.stderr = Terminal()
runpy.run_path(script, run_name="__main__")
"""


def started(code: str, name: str, told: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run some code around one of the commands."""
    script = str(ROOT / "flows" / f"{name}.py")
    command = [sys.executable, "-c", code, script, str(told), *arguments]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    return subprocess.run(
        command, cwd=told.parent, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("name", NAMES)
def test_help_and_version_load_nothing_that_takes_time(tmp_path, name):
    for flag, said in (("--help", f"usage: {name}.py"), ("--version", f"foldproof {VERSION}\n")):
        ended = started(LOADED, name, tmp_path / "told", flag)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.startswith(said)
        assert not set(HEAVY) & set(json.loads((tmp_path / "told").read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_wrong_settings_are_refused_before_anything_is_loaded_that_takes_time(tmp_path, name):
    arguments, problem = WRONG[name]
    ended = started(LOADED, name, tmp_path / "told", *arguments)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", problem)
    assert not set(HEAVY) & set(json.loads((tmp_path / "told").read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_the_first_word_comes_before_any_import_that_takes_time(tmp_path, name):
    started(FIRST_WORD, name, tmp_path / "told")
    text, loaded = json.loads((tmp_path / "told").read_text())
    assert text.startswith(f"{ERASE}reading the ")
    assert not {*HEAVY, "numpy", "pydantic", "rich", "argparse"} & set(loaded)


def in_a_terminal(name: str, folder: Path, *arguments: str, into: str = "") -> str:
    """Return all that a command writes to a terminal; results may go into a file."""
    command = [sys.executable, str(ROOT / "flows" / f"{name}.py"), *arguments]
    typed = shlex.join(command) + (f" > {into}" if into else "")
    environment = {**os.environ, "TERM": "xterm"}
    child = pexpect.spawn(
        "/bin/sh",
        ["-c", typed],
        cwd=str(folder),
        env=environment,
        timeout=120,
        encoding="utf-8",
        dimensions=(40, 200),
    )
    child.expect(pexpect.EOF)
    child.close()
    return str(child.before)


def screen(said: str) -> list[str]:
    """Return the lines that are left on a wide terminal of all that was written to it."""
    lines, row, column = [""], 0, 0
    for text in re.split(r"(\x1b\[[0-9;?]*[A-Za-z]|\r|\n)", said):
        if text == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif text == "\r":
            column = 0
        elif text.startswith("\x1b["):
            row = max(0, row - int(text[2:-1] or 1)) if text.endswith("A") else row
            lines[row] = "" if text == "\x1b[2K" else lines[row]
        else:
            lines[row] = lines[row].ljust(column)[:column] + text + lines[row][column + len(text) :]
            column += len(text)
    return lines


@pytest.mark.parametrize("name", NAMES)
def test_what_is_wrong_takes_the_place_of_the_line(tmp_path, name):
    arguments, problem = WRONG[name]
    said = in_a_terminal(name, tmp_path, *arguments)
    assert said.startswith(f"{ERASE}reading the ")
    assert said.rpartition(ERASE)[2] == problem.replace("\n", "\r\n")


def test_a_run_in_a_terminal_says_what_it_does(tmp_path, prefect_api, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    (tmp_path / "study.csv").write_text(
        "x,y\n" + "".join(f"{i * i % 7},{'control' if i % 3 else 'case'}\n" for i in range(30))
    )
    model = ("--model", "sklearn.linear_model:LogisticRegression", "--split.n_splits", "3")
    flags = ("--data", "study.csv", "--data.target", "y", *model)
    said = in_a_terminal("cv", tmp_path, *flags)
    steps = (
        "reading the settings",
        "starting Prefect",
        "reading the data, study.csv",
        "data: 30 rows, 1 features; classes: 'case' (10), 'control' (20)",
        "dividing 30 rows, 1 features into folds",
        "trying the model",
    )
    rest = said
    for step in steps:
        assert step in rest, said
        rest = rest.partition(step)[2]
    assert "3 of 3 folds" in rest
    lines = screen(said)
    (place,) = (i for i, text in enumerate(lines) if "warning: " in text)
    assert lines[place].startswith(WARNING)
    assert lines[place + 1].startswith("metric ")
    lines = screen(in_a_terminal("cv", tmp_path, *flags, into="table.txt"))
    assert WARNING in "\n".join(lines)
    assert (tmp_path / "table.txt").read_text().startswith(WARNING)
    only = screen(in_a_terminal("cv", tmp_path, *flags, "--only", "0/0"))
    assert only[1].startswith(WARNING), "there will be no table"
    quiet = in_a_terminal("cv", tmp_path, *flags, "--quiet")
    assert quiet.splitlines() == [str(next((tmp_path / "reports" / "runs").iterdir()))]


def test_a_line_is_written_over_and_makes_room(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    status = StatusLine()
    status.show("one\nline \x1b[31m")
    with status.aside():
        print("said", file=sys.stderr)
    status.show("two")
    status.clear()
    said = capsys.readouterr().err.split(ERASE)
    assert said == ["", "one line ?[31m", "said\n", "one line ?[31m", "two", ""]


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {}])
def test_there_is_no_line_without_a_terminal(capsys, monkeypatch, variables):
    for variable, value in variables.items():
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        monkeypatch.setenv(variable, value)
    greet([])
    line.clear()
    assert capsys.readouterr().err == ""
