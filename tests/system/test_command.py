"""The command `foldproof`: its words, its first half second, and completion in shells."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from foldproof.__main__ import COMMANDS, main
from foldproof.tasks.cli.completion import PARSERS, SHELLS, whole_parser
from foldproof.tasks.common.places import ROOT
from foldproof.tasks.common.version import VERSION
from foldproof.tasks.run.views.status_line import ERASE
from tests.support.command import run

FOLDPROOF = str(Path(sys.executable).with_name("foldproof"))
WAYS = {"command": [FOLDPROOF], "module": [sys.executable, "-m", "foldproof"]}
SCRIPTS = ("cv", "compare", "verify", "audit")
QUICK = 0.5  # seconds to the first characters


@pytest.mark.parametrize("way", WAYS)
def test_help_lists_every_command(tmp_path, way):
    for arguments in ([], ["--help"], ["-h"]):
        ended = run([*WAYS[way], *arguments], tmp_path)
        assert (ended.code, ended.err) == (0, "")
        assert {line.split()[0] for line in ended.out.splitlines() if line[:2] == "  "} == set(
            COMMANDS
        )


@pytest.mark.parametrize("way", WAYS)
def test_the_version_is_shown(tmp_path, way):
    ended = run([*WAYS[way], "--version"], tmp_path)
    assert (ended.code, ended.out, ended.err) == (0, f"foldproof {VERSION}\n", "")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["comparee"], "command line: unknown command 'comparee'; did you mean compare?"),
        (["--seed", "1"], "command line: '--seed' before any command; write foldproof cv --seed"),
        (["cv", "--sed", "1"], "--sed: unknown flag; did you mean --seed?"),
        (["completion", "tcsh"], "command line: give one of bash, zsh, fish;"),
        (["completion"], "command line: give one of bash, zsh, fish;"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, arguments, problem):
    ended = run([FOLDPROOF, *arguments], tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(problem)
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_command_takes_what_its_script_takes(tmp_path, name):
    script = [sys.executable, str(ROOT / "flows" / f"{name}.py")]
    ours = run([FOLDPROOF, name, "--help"], tmp_path, COLUMNS="200")
    theirs = run([*script, "--help"], tmp_path, COLUMNS="200")
    assert ours.out.startswith(f"usage: foldproof {name} ")
    assert theirs.out.startswith(f"usage: {name}.py ")
    assert ours.out.split("options:")[1] == theirs.out.split("options:")[1]


def test_pages_take_a_port_and_a_folder(tmp_path):
    ended = run([FOLDPROOF, "ui", "--help"], tmp_path)
    assert ended.out.startswith("usage: foldproof ui [PORT] [--study FOLDER]")
    ended = run([FOLDPROOF, "ui", "--study", "nothere"], tmp_path)
    assert ended.code == 2
    assert "no folder 'nothere'; give the folder of your study" in ended.err


def first_characters(arguments: list[str], folder: Path) -> tuple[float, str]:
    """Return how long a command took to show something in a terminal, and what."""
    began = time.monotonic()
    environment = {**os.environ, "TERM": "xterm"}
    child = pexpect.spawn(
        FOLDPROOF, arguments, cwd=str(folder), env=environment, timeout=60, encoding="utf-8"
    )
    child.expect(".+")
    took = time.monotonic() - began
    shown = str(child.after)
    child.close(force=True)
    return took, shown


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_terminal_shows_something_in_half_a_second(tmp_path, name):
    shown = [first_characters([name, "--seed", "x"], tmp_path) for _ in range(5)]
    assert all(text.startswith(f"{ERASE}reading the ") for _, text in shown)
    assert min(took for took, _ in shown) < QUICK


def test_completion_knows_every_command():
    assert set(PARSERS) <= set(COMMANDS)
    words = whole_parser({name: word.does for name, word in COMMANDS.items()})
    for name in COMMANDS:
        with pytest.raises(SystemExit):
            words.parse_args([name, "--help"])


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("foldproof ver", {"verify"}),
        ("foldproof cv --train.early_stopping.pat", set()),
        ("foldproof cv --split.n_", {"--split.n_splits", "--split.n_repeats"}),
        ("foldproof verify --trust", {"--trust-builder"}),
        ("foldproof completion ", set(SHELLS)),
        ("foldproof cv --config ", {"one.yaml"}),
    ],
)
def test_a_shell_is_told_what_may_come_next(tmp_path, typed, offered):
    (tmp_path / "one.yaml").touch()
    told = tmp_path / "told"
    variables = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(told),
        "_ARGCOMPLETE_IFS": "\n",
        "COMP_LINE": typed,
        "COMP_POINT": str(len(typed)),
        "COMP_TYPE": "9",
    }
    ended = run([FOLDPROOF], tmp_path, **variables)
    assert (ended.out, ended.err) == ("", "")
    found = {word.strip() for word in told.read_text().split("\n")} - {"", "-h", "--help", "told"}
    assert found == offered


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_for_a_shell_is_one_that_it_understands(tmp_path, shell):
    script = run([FOLDPROOF, "completion", shell], tmp_path).out
    assert "foldproof" in script
    if shutil.which(shell):
        (tmp_path / "script").write_text(script)
        ended = subprocess.run([shell, "-n", tmp_path / "script"], capture_output=True, text=True)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_bash_completes_what_is_typed(tmp_path):
    """A real bash, asked as it is when a person presses Tab."""
    typed = "foldproof cv --train.epo"
    code = f"""
    PATH={Path(FOLDPROOF).parent}:$PATH
    eval "$(foldproof completion bash)"
    COMP_LINE='{typed}' COMP_POINT={len(typed)} COMP_TYPE=9
    COMP_WORDS=({typed}) COMP_CWORD=2
    _python_argcomplete foldproof --train.epo cv
    printf '%s' "${{COMPREPLY[*]}}"
    """
    ended = run(["bash", "-c", code], tmp_path)
    assert (ended.out.strip(), ended.err) == ("--train.epochs", "")


def test_a_call_in_python_returns_the_exit_code(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"foldproof {VERSION}\n"
