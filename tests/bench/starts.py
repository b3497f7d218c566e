"""What people wait for around the folds: commands and calls, each beside a bare import of Keras.

Of each it also says which processes it started, and which large libraries the command itself
imported, so that one that comes back is seen.
"""

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from foldproof.tasks.common.places import ROOT
from tests.bench.findings import Findings, Row, seconds
from tests.bench.prefect_server import NO_ANALYTICS
from tests.bench.processes import environment

TRIES = 3  # of which the least counts
LOOK_S = 0.02  # between two looks at the processes
LIBRARIES = ("prefect", "tensorflow", "sklearn", "scipy.stats", "pandas")
PROGRAMS = {"host_process": "worker host", "embedded_server": "Prefect server"}
CV = [sys.executable, str(ROOT / "flows" / "cv.py")]
STOP = [sys.executable, "-m", "foldproof", "stop"]
LINEAR = ["--model", "sklearn.linear_model:LogisticRegression"]
CALLS = """
import time, foldproof
for seed in range(2):
    started = time.perf_counter()
    foldproof.cross_validate(data="breast_cancer", cv=5, epochs=20, seed=seed, out="out")
    print(time.perf_counter() - started)
"""


@dataclass(frozen=True)
class Command:
    """A command that is timed.

    Attributes:
        arguments: the command.
        is_new: in a folder of its own, where nothing is stored.
        code: that it ends with.
    """

    arguments: list[str]
    is_new: bool = True
    code: int = 0


def measure(findings: Findings) -> None:
    """Time each command and call, and add a row each."""
    with tempfile.TemporaryDirectory() as home:
        variables = environment() | {"PREFECT_HOME": home, **NO_ANALYTICS}
        stored = Path(home) / "stored"
        stored.mkdir()
        run = _Runner(variables, stored)
        run.once(Command(CV, is_new=False))  # makes the database, and what is stored
        bare = run.least(Command([sys.executable, "-c", "import tensorflow, keras"]))

        def add(work: str, command: Command, goal: float) -> None:
            findings.rows.append(_row(work, run.least(command), bare, goal))
            findings.notes.append(f"{work}: {run.what_started(command)}")

        add("start: ten folds of the MLP, cold", Command(CV), 1.6)
        add("start: the same again, all of it stored", Command(CV, is_new=False), 0.4)
        add("start: ten folds of LogisticRegression, cold", Command([*CV, *LINEAR]), 0.8)
        add("start: --help", Command([*CV, "--help"]), 1.0 / bare)
        add("start: a wrong setting", Command([*CV, "--train.epochs", "x"], code=2), 1.0 / bare)
        findings.rows.append(
            _row(
                "start: another seed, kept warm",
                run.least_warm(lambda seed: ["--seed", seed]),
                bare,
                0.5,
            )
        )
        findings.rows.append(
            _row("start: another model, kept warm", run.least_warm(_other_net), bare, 0.5)
        )
        first, second = run.calls()
        line = [*CV, "--split.n_splits", "5", "--train.epochs", "20"]
        command = run.least(Command(line))
        findings.rows.append(_row("start: second call in one process", second, bare, 0.27))
        findings.rows.append(
            _row("start: the first of them, beside its command", first, command, 1.0)
        )


def _other_net(number: str) -> list[str]:
    return ["--model.params", json.dumps({"hidden": [8 + int(number)]})]


def _row(work: str, ours: float, bare: float, goal: float) -> Row:
    ratio = ours / bare
    peer = f"{seconds(bare)} (import tensorflow, keras)"
    if "its command" in work:
        peer = f"{seconds(bare)} (the command)"
    return Row(work, seconds(ours), peer, f"{ratio:.2f}", f"at most {goal:.2f}", ratio <= goal)


class _Runner:
    """Runs commands with the same variables."""

    def __init__(self, variables: dict[str, str], stored: Path) -> None:
        self._variables, self._stored = variables, stored

    def once(self, command: Command, look: Callable[[int], None] = lambda pid: None) -> float:
        """Return the seconds of a command."""
        with tempfile.TemporaryDirectory() as empty:
            started = time.perf_counter()
            process = subprocess.Popen(
                command.arguments,
                cwd=empty if command.is_new else self._stored,
                env=self._variables,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            look(process.pid)
            code = process.wait()
            assert code == command.code, command.arguments
            return time.perf_counter() - started

    def least(self, command: Command) -> float:
        """Return the least seconds of a few tries."""
        return min(self.once(command) for _ in range(TRIES))

    def least_warm(self, differently: Callable[[str], list[str]]) -> float:
        """Return the least seconds of a command after one like it, which was kept warm.

        Args:
            differently: from a number, what is another in each command.
        """
        with tempfile.TemporaryDirectory() as sockets:
            variables = self._variables | {"XDG_RUNTIME_DIR": sockets}
            warm = _Runner(variables, self._stored)
            lines = [[*CV, "--keep-warm", "5m", *differently(str(n))] for n in range(1, 2 + TRIES)]
            found = [warm.once(Command(line, is_new=False)) for line in lines]
            subprocess.run(STOP, env=variables, check=True, capture_output=True)
        return min(found[1:])

    def calls(self) -> tuple[float, float]:
        """Return the seconds of two calls in one Python process, which differ in their seed."""
        found = []
        for _ in range(TRIES):
            with tempfile.TemporaryDirectory() as empty:
                told = subprocess.check_output(
                    [sys.executable, "-c", CALLS],
                    cwd=empty,
                    env=self._variables | {"PYTHONPATH": str(ROOT)},
                    stderr=subprocess.DEVNULL,
                )
            found.append([float(line) for line in told.split()])
        return min(first for first, _ in found), min(second for _, second in found)

    def what_started(self, command: Command) -> str:
        """Return which processes and imports a command takes."""
        programs: set[str] = set()
        over = threading.Event()

        def look(pid: int) -> None:
            while not over.wait(LOOK_S):
                for line in _lines_of(pid):
                    programs.update(name for part, name in PROGRAMS.items() if part in line)

        self.once(
            command, lambda pid: threading.Thread(target=look, args=(pid,), daemon=True).start()
        )
        over.set()
        imports = self._imports(command)
        return f"processes: {_listed(programs)}; imports of its own: {_listed(imports)}"

    def _imports(self, command: Command) -> set[str]:
        arguments = [command.arguments[0], "-X", "importtime", *command.arguments[1:]]
        with tempfile.TemporaryDirectory() as empty:
            folder = empty if command.is_new else self._stored
            told = subprocess.run(
                arguments, cwd=folder, env=self._variables, capture_output=True, text=True
            ).stderr
        names = set(re.findall(r"\| +([\w.]+)$", told, re.MULTILINE))
        return names & set(LIBRARIES)


def _lines_of(pid: int) -> list[str]:
    try:
        children = psutil.Process(pid).children(recursive=True)
        return [" ".join(child.cmdline()) for child in children]
    except psutil.Error:
        return []


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
