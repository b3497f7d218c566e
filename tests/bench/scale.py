"""What many folds cost around the training: API calls, rows, bytes, memory, seconds a fold.

`python -m tests.bench.scale [--folds N] [--engine dask [--nodes N]]`. The folds train nothing
(scikit-learn's DummyClassifier), so that what is left is the cost of having folds. A short run
of the same kind is taken off, so that start-up does not count.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil

from foldproof.tasks.common.places import ROOT
from tests.bench.counting_proxy import CountingProxy
from tests.bench.prefect_server import running_server
from tests.bench.processes import environment

SPLITS, SHORT = 10, 2  # folds a repeat; repeats of the short run
TABLES = ("flow_run", "flow_run_state", "task_run", "task_run_state", "log", "events", "artifact")
MIB = 2**20


@dataclass(frozen=True)
class Cost:
    """What a run took."""

    folds: int
    seconds: float
    calls: int
    api_bytes: int
    cluster_bytes: int
    rows: dict[str, int]
    database_bytes: int
    store_bytes: int
    report_bytes: int
    peak_mib: float


def measure(
    repeats: int, engine: list[str], api: CountingProxy, cluster: CountingProxy | None, home: Path
) -> Cost:
    """Run once and count."""
    before = _rows(home), _size(home), sum(api.requests.values()), api.sent + api.received
    moved = cluster.sent + cluster.received if cluster else 0
    with tempfile.TemporaryDirectory() as out:
        seconds, peak = _run(repeats, engine, api, Path(out))
        time.sleep(5)  # the server writes in batches
        rows = {name: count - before[0].get(name, 0) for name, count in _rows(home).items()}
        return Cost(
            folds=repeats * SPLITS,
            seconds=seconds,
            calls=sum(api.requests.values()) - before[2],
            api_bytes=api.sent + api.received - before[3],
            cluster_bytes=(cluster.sent + cluster.received if cluster else 0) - moved,
            rows=rows,
            database_bytes=_size(home) - before[1],
            store_bytes=_size(Path(out) / "folds"),
            report_bytes=_size(Path(out) / "runs"),
            peak_mib=peak,
        )


def _run(repeats: int, engine: list[str], api: CountingProxy, out: Path) -> tuple[float, float]:
    command = [sys.executable, str(ROOT / "flows" / "cv.py"), "--quiet", "--data", "iris"]
    command += ["--model", "sklearn.dummy:DummyClassifier", "--split.n_repeats", str(repeats)]
    command += ["--metrics", '["accuracy"]', "--out", str(out), *engine]
    variables = environment() | {"PREFECT_API_URL": f"http://{api.address}/api"}
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=out, env=variables)
    peak = [0.0]

    def watch() -> None:
        while process.poll() is None:
            try:
                peak[0] = max(peak[0], psutil.Process(process.pid).memory_info().rss / MIB)
            except psutil.Error:
                return
            time.sleep(0.2)

    threading.Thread(target=watch, daemon=True).start()
    if process.wait():
        raise SystemExit("the measured run failed")
    return time.perf_counter() - started, peak[0]


def _rows(home: Path) -> dict[str, int]:
    with sqlite3.connect(f"file:{home / 'prefect.db'}?mode=ro", uri=True) as database:
        return {
            name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES
        }


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _tell(short: Cost, long: Cost) -> None:
    folds = long.folds - short.folds
    print(f"{long.folds} folds in {long.seconds:.0f} s, {short.folds} in {short.seconds:.0f} s")
    lines = {
        "seconds a fold": (long.seconds - short.seconds) / folds,
        "API calls a fold": (long.calls - short.calls) / folds,
        "API bytes a fold": (long.api_bytes - short.api_bytes) / folds,
        "bytes a fold through the engine's scheduler": (long.cluster_bytes - short.cluster_bytes)
        / folds,
        **{
            f"rows a fold in {name}": (long.rows[name] - short.rows[name]) / folds
            for name in TABLES
        },
        "bytes a fold in the database": (long.database_bytes - short.database_bytes) / folds,
        "bytes a fold in the store": (long.store_bytes - short.store_bytes) / folds,
        "bytes a fold in the report": (long.report_bytes - short.report_bytes) / folds,
        "KiB a fold in the flow's process": (long.peak_mib - short.peak_mib) * 1024 / folds,
    }
    for name, value in lines.items():
        print(f"{name:45} {value:10.3f}")
    print(f"{'peak of the flow process, MiB':45} {long.peak_mib:10.0f}")


def main() -> None:
    """Measure a short and a long run and print what a fold adds."""
    parser = argparse.ArgumentParser("python -m tests.bench.scale")
    parser.add_argument("--folds", type=int, default=2000)
    parser.add_argument("--engine", choices=["local", "dask"], default="local")
    parser.add_argument("--nodes", type=int, default=2, help="Dask workers, a fold at a time each")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        home = Path(name) / "prefect"
        server = stack.enter_context(running_server(home))
        api = CountingProxy(server["PREFECT_API_URL"].split("/")[2])
        engine, cluster = ["--compute.workers", "2"], None
        if flags.engine == "dask":
            from tests.support.clusters import Dask

            dask = Dask(Path(name) / "dask")
            stack.callback(dask.stop)
            for _ in range(flags.nodes):
                dask.worker()
            cluster = CountingProxy(dask.address)
            engine = ["--compute.engine", "dask", "--compute.address", cluster.address]
        short = measure(SHORT, engine, api, cluster, home)
        long = measure(flags.folds // SPLITS, engine, api, cluster, home)
        _tell(short, long)
        print(json.dumps(dict(api.requests.most_common(8))), os.cpu_count(), "cores")


if __name__ == "__main__":
    main()
