"""`python flows/cv.py` from nothing to its report, beside the naive loop's whole process."""

import statistics
import sys
import tempfile
from pathlib import Path

from foldproof.tasks.common.places import ROOT
from tests.bench.cases import MLP
from tests.bench.findings import Findings, faster
from tests.bench.prefect_server import NO_ANALYTICS
from tests.bench.processes import Measured, script, timed

COLD, WARM = 2.0, 3.0  # times faster: half the time, a third


def measure(findings: Findings, server: dict[str, str], naive: Measured, tries: int) -> None:
    """Time the command with an embedded server and with a running one; medians of tries."""
    naives = [naive.seconds, *(script("naive_loop", MLP).seconds for _ in range(tries - 1))]
    peer = statistics.median(naives)
    first = cold = 0.0
    with tempfile.TemporaryDirectory() as home:
        embedded = {"PREFECT_HOME": home, **NO_ANALYTICS}
        first = command(**embedded)
        cold = statistics.median(command(**embedded) for _ in range(tries))
    warm = statistics.median(command(**server) for _ in range(tries))
    name = "naive loop"
    findings.rows += [
        faster("whole process, cold, embedded server", cold, peer, name, COLD, "at most half"),
        faster("whole process, server running", warm, peer, name, WARM, "at most a third"),
    ]
    text = "the very first run with a new PREFECT_HOME, which makes the database"
    findings.notes.append(f"whole process, cold: {text}: {first:.1f} s")


def command(**variables: str) -> float:
    """Return the seconds of the default run in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        line = [sys.executable, str(ROOT / "flows" / "cv.py"), "--out", str(out), "--quiet"]
        printed, seconds = timed(line, Path(folder), **variables)
        assert Path(printed.strip().splitlines()[-1]).is_relative_to(out.resolve())
        return seconds
