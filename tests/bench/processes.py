"""Run a script of this package as a process of its own, and time all of it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.tasks.common.places import ROOT
from tests.bench.cases import Case, case_text

PATIENCE = 1800  # seconds; a guard against hanging
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "KERAS_BACKEND": "tensorflow"}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


class ProcessFailed(RuntimeError):
    """A measured process ended with an error."""


@dataclass(frozen=True)
class Measured:
    """What a script found, and the seconds of its whole process."""

    found: dict[str, Any]
    seconds: float


def script(name: str, case: Case, *arguments: Any, **variables: str) -> Measured:
    """Run `tests.bench.NAME` on a case; its last line of output is what it found."""
    command = [sys.executable, "-m", f"tests.bench.{name}", case_text(case), *map(str, arguments)]
    out, seconds = timed(command, ROOT, **variables)
    return Measured(json.loads(out.strip().splitlines()[-1]), seconds)


def timed(command: list[str], folder: Path, **variables: str) -> tuple[str, float]:
    """Run a command and return its output and seconds.

    Raises:
        ProcessFailed: with the end of what it printed.
    """
    started = time.perf_counter()
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment() | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    seconds = time.perf_counter() - started
    if ended.returncode:
        raise ProcessFailed(f"{' '.join(command[:4])} ended with {ended.stderr[-3000:]}")
    return ended.stdout, seconds


def timed_call(step: Callable[[], Any]) -> float:
    """Return the seconds of a call in this process."""
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def environment() -> dict[str, str]:
    """Return this process's environment without what would favour one side."""
    kept = {name: value for name, value in os.environ.items() if name not in THREADS}
    return {n: v for n, v in kept.items() if not n.startswith("PREFECT_")} | QUIET
