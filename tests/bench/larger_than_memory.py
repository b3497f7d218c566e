"""Folds of a table that does not fit: `python -m tests.bench.larger_than_memory [MEGABYTES]`.

A worker may take 300 MiB more than it takes when it is idle. What the flow's process and the
worker took is printed as JSON, with the digests of a fold; with `--compare`, those of the same fold
without any limit as well.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from foldproof.tasks.config.study import parse_study
from foldproof.tasks.machine.memory import MIB, data_bytes, peak_mib
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.workers import in_worker
from tests.bench import direct
from tests.bench.findings import Findings

COLUMNS, GROUP = 150, 200_000  # rows of a row group
HEADROOM = 300  # MiB above the worker's idle size
MB, SEED = 1_000_000, 7
FULL_MEGABYTES, FULL_HEADROOM = 10_000, 2_048  # what is held a row grows with the rows


def write(path: Path, megabytes: int) -> None:
    """Write a table of float32 by a seed, with a target that its first columns tell."""
    random = np.random.default_rng(SEED)
    rows = megabytes * MB // (4 * COLUMNS)
    names = [*(f"x{i}" for i in range(COLUMNS)), "y"]
    kinds = [*[pa.float32()] * COLUMNS, pa.int8()]
    with parquet.ParquetWriter(path, pa.schema(zip(names, kinds, strict=True))) as writer:
        for start in range(0, rows, GROUP):
            count = min(GROUP, rows - start)
            columns = [random.standard_normal(count, dtype=np.float32) for _ in range(COLUMNS)]
            y = (columns[0] + columns[1] > 0).astype(np.int8)
            writer.write_table(pa.table([*columns, y], names=names))


def settings(source: Path, out: Path, limit: int | None) -> dict[str, Any]:
    """Return a small net, two folds and a limit in MiB or none."""
    return {
        "data": {"source": str(source), "target": "y"},
        "split": {"n_splits": 2},
        "model": {"params": {"hidden": [8]}},
        "train": {"epochs": 1, "batch_size": 2048},
        "compute": {"workers": 1, "memory_limit": limit, "retries": 0, "device": "cpu"},
        "out": str(out),
    }


def idle_mib() -> int:
    """Return the private memory of a worker that has loaded TensorFlow and done nothing."""
    study = parse_study({"compute": {"workers": 1, "device": "cpu"}})
    with direct.warm_slots(study) as slots:
        slots.slots[0].run(in_worker.warm_up, True, 1)
        return int(slots.slots[0].run(data_bytes) // MIB)


def first_fold(source: Path, out: Path, limit: int | None) -> dict[str, Any]:
    """Train the first fold in a worker; return its digests and what it took.

    Raises:
        RuntimeError: it failed.
    """
    started = time.perf_counter()
    with launched(Run(parse_study(settings(source, out, limit)), Display("quiet"))) as run:
        run.check()
        read = time.perf_counter()
        record = train_without_prefect(run, run.jobs[0])
    if record.error:
        raise RuntimeError(record.error)
    return {
        "digests": [record.initial, record.weights, record.predictions],
        "streamed": "come from disk" in record.notice,
        "seconds_read": round(read - started, 1),
        "seconds_fold": round(time.perf_counter() - read, 1),
    }


def measured(megabytes: int, compare: bool, headroom: int = HEADROOM) -> dict[str, Any]:
    """Write such a table, and train a fold within the limit."""
    with tempfile.TemporaryDirectory(prefix="foldproof-large-") as name:
        source = Path(name) / "large.parquet"
        itself = [sys.executable, "-m", "tests.bench.larger_than_memory"]
        subprocess.run([*itself, str(megabytes), "--write", source], check=True)
        idle, before = idle_mib(), peak_mib()
        found = first_fold(source, Path(name) / "limited", idle + headroom)
        found |= {"megabytes": megabytes, "idle_mib": idle, "flow_mib": round(peak_mib() - before)}
        if compare:
            found["unlimited"] = first_fold(source, Path(name) / "unlimited", None)
    return found


def measure(findings: Findings, megabytes: int = FULL_MEGABYTES) -> None:
    """Say what a table of 10 GB takes."""
    found = measured(megabytes, compare=False, headroom=FULL_HEADROOM)
    findings.notes.append(
        f"{megabytes / 1000:.3g} GB of Parquet, a worker with {FULL_HEADROOM} MiB more than its "
        f"idle {found['idle_mib']}: read in {found['seconds_read']} s with {found['flow_mib']} "
        f"MiB, one epoch of a fold in {found['seconds_fold']} s"
    )


def main() -> None:
    """Measure, or write the table alone."""
    parser = argparse.ArgumentParser("python -m tests.bench.larger_than_memory")
    parser.add_argument("megabytes", type=int, nargs="?", default=600)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--compare", action="store_true")
    flags = parser.parse_args()
    if flags.write:
        write(flags.write, flags.megabytes)
    else:
        print(json.dumps(measured(flags.megabytes, flags.compare)))


if __name__ == "__main__":
    main()
