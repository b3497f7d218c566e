"""Run the command line as a user does, in a process of its own."""

import subprocess
import sys
from pathlib import Path

from tests.support.places import ROOT
from tests.support.processes import PATIENCE_S, Ended, users_environment
from tests.support.warm import warm_variables

CV = [sys.executable, str(ROOT / "flows" / "cv.py")]


def cv(*arguments: str, folder: Path, **variables: str) -> Ended:
    """Run cv.py in a folder with further environment variables, if possible warm."""
    return run_warm([*CV, *arguments], folder, **variables)


def run_warm(command: list[str], folder: Path, **variables: str) -> Ended:
    """Run cv.py or compare.py in a folder with further environment variables.

    Unless these change more than the API, a warm process does it: what is tested is what a
    command does, not how it starts.
    """
    warm = warm_variables() if variables.keys() <= {"PREFECT_API_URL"} else {}
    return run(command, folder, **warm | variables)


def run(
    command: list[str], folder: Path, patience: float = PATIENCE_S, /, **variables: str
) -> Ended:
    """Run any command in a folder with further environment variables."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env=users_environment() | variables,
        capture_output=True,
        text=True,
        timeout=patience,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def report_of(ended: Ended) -> Path:
    """Return the report's folder from what a run printed."""
    assert ended.code == 0, ended.err
    return Path(ended.out.strip().splitlines()[-1].removeprefix("report: "))


def contents(report: Path) -> dict[str, bytes]:
    """Return the files that must be equal between equal runs."""
    return {p.name: p.read_bytes() for p in report.iterdir() if p.name != "execution.parquet"}
