"""The peak memory of reading one large CSV file: `python -m tests.bench.csv_memory [MEGABYTES]`.

A contract of the readers, not a comparison with a peer, so that `make bench` does without.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

COLUMNS, BLOCK = 50, 2_000
MB = 1e6


def write_csv(path: Path, megabytes: float) -> None:
    """Write random features with 6 digits and a target of two classes."""
    numbers = np.random.default_rng(1).standard_normal((BLOCK, COLUMNS))
    rows = [",".join(f"{value:.6f}" for value in row) for row in numbers]
    block = "".join(f"{row},{i % 2}\n" for i, row in enumerate(rows))
    with path.open("w") as file:
        file.write(",".join(f"x{i}" for i in range(COLUMNS)) + ",y\n")
        while file.tell() < megabytes * MB:
            file.write(block)


def growth(source: Path, folder: Path) -> tuple[int, float]:
    """Read a CSV file as a run does; return how much memory that took, in bytes, and seconds.

    Measured as the growth of this process's peak, so that it holds in a fresh process only.
    """
    from foldproof.tasks.config.data import DataSpec
    from foldproof.tasks.data.dataset import prepare_data

    small = folder / "small.csv"
    write_csv(small, 1)  # loads what is loaded late
    prepare_data(DataSpec(source=str(small), target="y"), None, folder)
    before, start = _peak(), time.perf_counter()
    prepare_data(DataSpec(source=str(source), target="y"), None, folder)
    return _peak() - before, time.perf_counter() - start


def _peak() -> int:
    """Return this program's peak; getrusage also knows that of what started it."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def main(megabytes: float) -> None:
    """Write such a file, read it, and print the sizes and their ratio."""
    with tempfile.TemporaryDirectory(prefix="foldproof-csv-") as name:
        source = Path(name) / "large.csv"
        write_csv(source, megabytes)
        size = source.stat().st_size
        took, seconds = growth(source, Path(name))
    print(
        f"{size / MB:.0f} MB of CSV: {took / MB:.0f} MB more, {took / size:.2f} x, {seconds:.0f} s"
    )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1000)
