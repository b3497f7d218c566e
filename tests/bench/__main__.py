"""Measure, print one table, and fail if results that must be equal are not."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.bench import (
    determinism,
    gigabyte,
    larger_than_memory,
    many_folds,
    one_more_fold,
    starts,
    tables,
    training_bound,
    whole_process,
)
from tests.bench.cases import CNN, MLP
from tests.bench.findings import Findings
from tests.bench.findings import table as as_table
from tests.bench.machine import machine
from tests.bench.prefect_server import running_server

QUICK = ("starts", "folds", "training", "tables", "determinism")
FULL = ("thousand", "gigabyte", "larger")
REPEATS = {"quick": 11, "full": 21}  # of the ten folds, in the long run of ours


def main() -> int:
    """Return 1 if compared results disagree; a missed goal is only shown."""
    flags = _flags()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # ends the server
    wanted = flags.only or (QUICK + FULL if flags.full else QUICK)
    findings, started = Findings(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        server: dict[str, str] = {}
        if {"folds", "thousand"} & set(wanted):
            server = stack.enter_context(running_server(Path(folder) / "prefect"))
        for name in wanted:
            _parts(findings, server, flags.full)[name]()
            _tell(started, name)
    print(as_table(findings.rows))
    print()
    print("\n".join([*map(str, findings.agreements), *findings.notes, machine()]))
    return 0 if findings.agree else 1


def _parts(findings: Findings, server: dict[str, str], full: bool) -> dict[str, Callable[[], None]]:
    return {
        "starts": partial(starts.measure, findings),
        "folds": partial(_small_cases, findings, server, full),
        "training": partial(training_bound.measure, findings, full),
        "tables": partial(tables.measure, findings, full),
        "determinism": partial(determinism.measure, findings, 3 if full else 1),
        "thousand": partial(many_folds.measure, findings, server),
        "gigabyte": partial(gigabyte.measure, findings),
        "larger": partial(larger_than_memory.measure, findings),
    }


def _small_cases(findings: Findings, server: dict[str, str], full: bool) -> None:
    repeats = REPEATS["full" if full else "quick"]
    naive = one_more_fold.measure(MLP, findings, server, repeats)
    one_more_fold.measure(CNN, findings, server, repeats)
    whole_process.measure(findings, server, naive, tries=3 if full else 1)


def _tell(started: float, name: str) -> None:
    print(f"{time.perf_counter() - started:6.0f} s: {name} measured", file=sys.stderr, flush=True)


def _flags() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="add 1,000 folds, 1 GB and 10 GB")
    parser.add_argument("--only", nargs="+", choices=QUICK + FULL, help="some of the parts")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
