"""Real Dask and Ray clusters of several nodes: the bytes are those of this machine alone."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from foldproof.tasks.clusters.node_agent import HEARTBEAT_CHECK_S
from foldproof.tasks.clusters.node_registry import (
    NO_NODE_TIMEOUT_S,
)
from foldproof.tasks.common.extras import install_command
from foldproof.tasks.common.places import ROOT
from tests.support.clusters import Dask, Ray
from tests.support.command import CV, contents, cv, report_of, run
from tests.support.processes import all_gone, family, free_port, kill, lives, wait_for

pytestmark = pytest.mark.clusters
standing = pytest.mark.xdist_group("standing")  # tests that share two clusters
lost = pytest.mark.xdist_group("lost")  # tests that break clusters of their own

SLOW = """
import os
import time
from pathlib import Path

from sklearn.linear_model import LogisticRegression

LONGEST_S = 600  # a guard against hanging


class Slow(LogisticRegression):
    def fit(self, X, y):
        Path(f"trains-{os.getpid()}").write_text(str(len(X)))
        deadline = time.monotonic() + LONGEST_S
        while Path("closed").exists() and not goes_first():
            assert time.monotonic() < deadline, "nobody opened the gate"
            time.sleep(0.05)
        return super().fit(X, y)


def goes_first():
    for place in Path().glob("free-*"):
        try:
            place.unlink()
        except FileNotFoundError:
            continue
        return True
    return False


def build():
    return Slow(max_iter=50)
"""
QUICK: tuple[str, ...] = ("--model", "sklearn.linear_model:LogisticRegression", "--data", "wine")
QUICK += ("--split.n_splits", "3", "--split.n_repeats", "2")
KERAS = ("--data", "breast_cancer", "--split.n_splits", "3", "--train.epochs", "4")
SLOWLY = ("--model", "slow:build", "--data", "breast_cancer", "--split.n_splits", "6")


@pytest.fixture(scope="module")
def api(prefect_api):
    """The address of a real Prefect server, and that Ray asks for no token."""
    return {"PREFECT_API_URL": prefect_api, "RAY_AUTH_MODE": "disabled"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A working folder that all nodes see, with a builder that takes its time."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "slow.py").write_text(SLOW)
    return folder


@pytest.fixture(scope="module")
def alone(home, api):
    """Return what a run gives on this machine, without a cluster."""
    known = {}

    def give(arguments):
        if arguments not in known:
            let_go(home)
            known[arguments] = report_of(cv(*arguments, "--out", "alone", folder=home, **api))
        return known[arguments]

    return give


@pytest.fixture(scope="module")
def dask(tmp_path_factory):
    """Two nodes."""
    cluster = Dask(tmp_path_factory.mktemp("dask"))
    for _ in range(2):
        cluster.worker()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def ray(tmp_path_factory):
    """Two nodes with a CPU each."""
    cluster = Ray(tmp_path_factory.mktemp("ray"), 1, 1)
    yield cluster
    cluster.stop()


@pytest.fixture
def own(tmp_path):
    """Return a function that starts a cluster of the test's own, which it may damage."""
    clusters = []

    def start_cluster(kind, *arguments, **options):
        clusters.append(kind(tmp_path / "cluster", *arguments, **options))
        return clusters[-1]

    yield start_cluster
    for cluster in clusters:
        cluster.stop()


@pytest.fixture(params=["dask", "ray"])
def on_cluster(request):
    """The flags that place a run on a standing cluster."""
    address = request.getfixturevalue(request.param).address
    return ("--compute.engine", request.param, "--compute.address", address)


def execution(report: Path):
    return pq.read_table(report / "execution.parquet")


def assert_same(one: Path, other: Path) -> None:
    assert one.name == other.name
    assert contents(one) == contents(other)


def close(home: Path, free: int = 0) -> None:
    """Let all fits but the first few wait, and forget which have begun."""
    for path in (*home.glob("trains-*"), *home.glob("free-*")):
        path.unlink()
    for place in range(free):
        (home / f"free-{place}").touch()
    (home / "closed").touch()


def let_go(home: Path) -> None:
    (home / "closed").unlink(missing_ok=True)


def in_mid_fold(home: Path, count: int = 2) -> Callable[[], bool]:
    """Tell whether that many workers train now; they go on when the gate is opened."""
    return lambda: len(list(home.glob("trains-*"))) >= count


def trainers(home: Path) -> list[int]:
    """Return the processes that train now."""
    return [int(path.name.partition("-")[2]) for path in home.glob("trains-*")]


def stored(folds: Path) -> dict[str, int]:
    """Return the folds that are stored, with the times of their files."""
    return {path.name: path.stat().st_mtime_ns for path in folds.glob("*.parquet")}


@standing
@pytest.mark.parametrize("arguments", [QUICK, KERAS], ids=["estimator", "keras"])
def test_a_standing_cluster_gives_the_bytes_of_this_machine(
    home, api, alone, on_cluster, tmp_path, arguments
):
    report = report_of(cv(*arguments, *on_cluster, "--out", str(tmp_path), folder=home, **api))
    assert_same(report, alone(arguments))
    metadata = execution(report).schema.metadata
    assert metadata[b"foldproof.engine"].decode() == on_cluster[1]
    assert len(list((tmp_path / "folds").iterdir())) == len(execution(report))


@standing
@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_without_an_address_a_cluster_is_started_for_the_run(home, api, alone, tmp_path, engine):
    flags = ("--compute.engine", engine, "--out", str(tmp_path))
    report = report_of(cv(*QUICK, *flags, folder=home, **api))
    assert_same(report, alone(QUICK))


BY_VALUE = """
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression

from foldproof.flows.cv import cross_validate
from foldproof.tasks.config.data import DataSpec

rng = np.random.default_rng(3)
X = rng.normal(size=(90, 4))
strength = float(sys.argv[1])


def build():
    return LogisticRegression(C=strength)


compute = {"engine": sys.argv[2], "address": sys.argv[3]} if len(sys.argv) > 3 else {}
data = DataSpec.from_arrays(X, (X[:, 0] > 0).astype(int))
result = cross_validate(data, model=build, split={"n_splits": 3}, compute=compute, out=sys.argv[-1])
print(result.path)
"""


@standing
def test_arrays_and_functions_of_a_script_go_to_nodes_of_this_machine(
    home, api, on_cluster, tmp_path
):
    (tmp_path / "script.py").write_text(BY_VALUE)
    script = [sys.executable, str(tmp_path / "script.py"), "0.5"]
    engine, address = on_cluster[1::2]
    paths = {"PYTHONPATH": str(ROOT)}
    alone = run([*script, "alone"], tmp_path, **api, **paths)
    there = run([*script, engine, address, "there"], tmp_path, **api, **paths)
    assert_same(report_of(there), report_of(alone))
    assert execution(report_of(there)).schema.metadata[b"foldproof.engine"].decode() == engine


@standing
def test_both_nodes_train_in_processes_of_their_own(start, home, api, dask, tmp_path):
    flags = ("--compute.engine", "dask", "--compute.address", dask.address, "--out", str(tmp_path))
    close(home)
    process = start([*CV, *SLOWLY, *flags], home, **api)
    process.wait_for(in_mid_fold(home))
    let_go(home)
    table = execution(report_of(process.ended()))
    assert len(set(table["pid"].to_pylist())) == 2
    assert set(table["device"].to_pylist()) == {"cpu:0"}


def kill_worker(cluster: Dask, node: subprocess.Popen[bytes]) -> None:
    """Kill what computes on a node; the nanny stays, and starts another."""
    for victim in psutil.Process(node.pid).children():
        os.kill(victim.pid, signal.SIGKILL)


def kill_node(cluster: Dask, node: subprocess.Popen[bytes]) -> None:
    """Kill a node with all that it started; it does not come back."""
    kill(node)


@lost
@pytest.mark.parametrize("lose", [kill_worker, kill_node])
def test_what_is_lost_in_mid_fold_costs_one_try_and_no_byte(
    start, home, api, alone, own, tmp_path, lose
):
    expected = alone(SLOWLY)
    cluster = own(Dask)
    nodes = [cluster.worker(), cluster.worker()]
    flags = ("--compute.engine", "dask", "--compute.address", cluster.address)
    close(home)
    process = start([*CV, *SLOWLY, *flags, "--out", str(tmp_path / "out")], home, **api)
    process.wait_for(in_mid_fold(home))
    lose(cluster, nodes[1])
    let_go(home)
    ended = process.ended()
    assert ended.code == 0, ended.err
    (report,) = (tmp_path / "out" / "runs").iterdir()
    assert_same(report, expected)
    assert sorted(execution(report)["attempt"].to_pylist()) == [1, 1, 1, 1, 1, 2]


def stop_worker(node: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Stop what computes on a node; the training processes that it started go on."""
    return stop_all(psutil.Process(node.pid).children())


def stop_node(node: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Stop a node with all that it started, as if its machine slept."""
    return stop_all(family(node.pid))


def stop_all(processes: list[psutil.Process]) -> list[psutil.Process]:
    for each in processes:
        each.suspend()
    return processes


def wake(processes: list[psutil.Process]) -> None:
    for each in filter(lives, processes):
        each.resume()


@lost
def test_a_node_that_sleeps_at_the_start_joins_when_it_wakes(
    start, home, api, alone, own, tmp_path
):
    expected = alone(SLOWLY)
    cluster = own(Dask)
    _, sleeper = cluster.worker(), cluster.worker()
    flags = ("--compute.engine", "dask", "--compute.address", cluster.address)
    close(home)
    asleep = stop_worker(sleeper)
    process = start([*CV, *SLOWLY, *flags, "--out", str(tmp_path / "out")], home, **api)
    process.wait_for(in_mid_fold(home, 1))
    assert "is refused" not in process.err  # nobody waited until it was given up
    wake(asleep)
    process.wait_for(in_mid_fold(home))
    let_go(home)
    ended = process.ended()
    report = report_of(ended)
    assert_same(report, expected)
    assert "is refused" not in ended.err
    assert set(execution(report)["attempt"].to_pylist()) == {1}
    assert len(set(execution(report)["pid"].to_pylist())) == 2


@lost
def test_a_node_that_slept_in_mid_fold_goes_on_with_it(start, home, api, alone, own, tmp_path):
    """It slept for longer than nodes train without a sign of life of the command."""
    expected = alone(SLOWLY)
    cluster = own(Dask)
    _, sleeper = cluster.worker(), cluster.worker()
    flags = ("--compute.engine", "dask", "--compute.address", cluster.address)
    close(home)
    process = start([*CV, *SLOWLY, *flags, "--out", str(tmp_path / "out")], home, **api)
    process.wait_for(in_mid_fold(home))
    asleep = stop_node(sleeper)
    time.sleep(NO_NODE_TIMEOUT_S + HEARTBEAT_CHECK_S)
    wake(asleep)
    time.sleep(2 * HEARTBEAT_CHECK_S)
    let_go(home)
    report = report_of(process.ended())
    assert_same(report, expected)
    assert set(execution(report)["attempt"].to_pylist()) == {1}
    assert len(set(execution(report)["pid"].to_pylist())) == 2


@lost
@pytest.mark.parametrize(
    ("stop", "tries"), [(stop_worker, [1] * 6), (stop_node, [1, 1, 1, 1, 1, 2])]
)
def test_a_node_that_the_scheduler_gives_up_changes_nothing_when_it_wakes(
    start, home, api, alone, own, tmp_path, stop, tries
):
    """What it stored meanwhile counts; else its fold costs one try on the other node."""
    expected = alone(SLOWLY)
    cluster = own(Dask, DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL="20s")
    _, sleeper = cluster.worker(), cluster.worker()
    flags = ("--compute.engine", "dask", "--compute.address", cluster.address)
    close(home)
    process = start([*CV, *SLOWLY, *flags, "--out", str(tmp_path / "out")], home, **api)
    process.wait_for(in_mid_fold(home))
    trained = [psutil.Process(pid) for pid in trainers(home)]
    asleep = stop(sleeper)
    let_go(home)
    ended = process.ended()
    report = report_of(ended)
    assert_same(report, expected)
    assert sorted(execution(report)["attempt"].to_pylist()) == tries
    kept = stored(tmp_path / "out" / "folds")
    assert len(kept) == 6
    wake(asleep)
    assert all_gone(trained, NO_NODE_TIMEOUT_S + 4 * HEARTBEAT_CHECK_S)
    after = stored(tmp_path / "out" / "folds")
    assert after.keys() == kept.keys()
    assert after == kept or stop is stop_node  # its process may store the same fold once more
    assert_same(report, expected)


@lost
def test_a_restarted_scheduler_loses_nothing(start, home, api, alone, own, tmp_path):
    expected = alone(SLOWLY)
    cluster = own(Dask)
    cluster.worker()
    flags = ("--compute.engine", "dask", "--compute.address", cluster.address)
    close(home, free=2)
    process = start([*CV, *SLOWLY, *flags, "--out", str(tmp_path / "out")], home, **api)
    folds = tmp_path / "out" / "folds"
    process.wait_for(lambda: len(stored(folds)) == 2)
    kept = stored(folds)
    kill(cluster.scheduler)
    cluster.start_scheduler()
    cluster.worker()
    let_go(home)
    ended = process.ended()
    assert ended.code == 0, ended.err
    (report,) = (tmp_path / "out" / "runs").iterdir()
    assert_same(report, expected)
    assert kept.items() <= stored(folds).items()
    assert len(stored(folds)) == 6
    assert set(execution(report)["attempt"].to_pylist()) == {1}


@lost
def test_a_lost_ray_node_leaves_its_folds_to_the_others(start, home, api, alone, own, tmp_path):
    expected = alone(SLOWLY)
    cluster = own(Ray, 1, 1)
    flags = ("--compute.engine", "ray", "--compute.address", cluster.address)
    close(home)
    process = start([*CV, *SLOWLY, *flags, "--out", str(tmp_path / "out")], home, **api)
    process.wait_for(in_mid_fold(home))
    kill(cluster.nodes[1])
    let_go(home)
    ended = process.ended()
    assert ended.code == 0, ended.err
    (report,) = (tmp_path / "out" / "runs").iterdir()
    assert_same(report, expected)
    assert len(set(execution(report)["attempt"].to_pylist()) - {1, 2}) == 0


@lost
def test_a_lost_ray_head_ends_the_command_and_the_next_one_goes_on(
    start, home, api, alone, own, tmp_path
):
    expected = alone(SLOWLY)
    cluster = own(Ray, 1)
    flags = ("--compute.engine", "ray", "--compute.address", cluster.address)
    out = ("--out", str(tmp_path / "out"))
    close(home, free=2)
    process = start([*CV, *SLOWLY, *flags, *out], home, **api)
    folds = tmp_path / "out" / "folds"
    process.wait_for(lambda: len(stored(folds)) == 2)
    kill(cluster.nodes[0])
    let_go(home)
    assert process.ended().code != 0
    kept = stored(folds)
    report = report_of(cv(*SLOWLY, *out, folder=home, **api))
    assert_same(report, expected)
    assert kept.items() <= stored(folds).items()


def gone(pids: list[int]) -> bool:
    return not any(map(psutil.pid_exists, pids))


@standing
def test_a_killed_flow_leaves_no_training_behind(start, home, api, dask, ray, tmp_path):
    for engine, cluster in (("dask", dask), ("ray", ray)):
        flags = ("--compute.engine", engine, "--compute.address", cluster.address)
        close(home)
        process = start([*CV, *SLOWLY, *flags, "--out", str(tmp_path / engine)], home, **api)
        process.wait_for(in_mid_fold(home))
        workers = trainers(home)
        process.send(signal.SIGKILL)
        process.ended()
        wait_for(partial(gone, workers))
        let_go(home)


@lost
def test_other_numerics_are_refused_or_taken_with_a_mark(home, api, alone, own, tmp_path):
    cluster = own(Dask)
    cluster.worker(ONEDNN_MAX_CPU_ISA="AVX2")
    flags: tuple[str, ...] = ("--compute.engine", "dask", "--compute.address", cluster.address)
    flags += ("--out", str(tmp_path / "out"))
    refused = cv(*QUICK, *flags, folder=home, **api)
    assert refused.code == 2, refused.err
    assert "environment.ONEDNN_MAX_CPU_ISA: None here, AVX2 there" in refused.err
    assert refused.err.startswith("compute.mixed: node tcp://")
    assert len(refused.err.strip().splitlines()) == 1
    cluster.worker()
    one = cv(*QUICK, *flags, folder=home, **api)
    assert_same(report_of(one), alone(QUICK))
    assert "is refused: compute.mixed: its numerics differ" in one.err
    mixed = cv(*QUICK, *flags, "--compute.mixed", "true", folder=home, **api)
    report = report_of(mixed)
    assert report.name != alone(QUICK).name
    assert "trained on machines of 2 kinds, and bits may differ" in mixed.err
    assert "trained on machines of 2 kinds" in (report / "report.html").read_text()
    assert len(set(execution(report)["numerics"].to_pylist())) == 2
    manifest = json.loads((report / "manifest.json").read_text())
    assert len(manifest["key"]["numerics"]["mixed"]) == 2


@pytest.fixture
def namespaces():
    """A bridge-less pair of network namespaces: this one and a node's; needs to be root."""
    if os.geteuid() or not shutil.which("ip") or not shutil.which("unshare"):
        pytest.skip("network namespaces are root's")
    name = f"fp{os.getpid()}"
    lines = [
        f"ip netns add {name}",
        f"ip link add {name}a type veth peer name {name}b netns {name}",
        f"ip addr add 10.213.7.1/24 dev {name}a",
        f"ip link set {name}a up",
        f"ip -n {name} addr add 10.213.7.2/24 dev {name}b",
        f"ip -n {name} link set {name}b up",
        f"ip -n {name} link set lo up",
    ]
    made = [subprocess.run(line.split(), capture_output=True, text=True) for line in lines]
    try:
        if any(one.returncode for one in made):
            pytest.skip(next(one.stderr for one in made if one.returncode))
        yield name
    finally:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path is short enough for the addresses of worker processes."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@lost
def test_a_node_that_sees_only_the_shared_folder(
    home, api, alone, own, tmp_path, namespaces, short_folder
):
    """It has a network, a host name and a temporary folder of its own."""
    hidden = short_folder
    cluster = own(Dask, host="10.213.7.1")
    inside = f"mount -t tmpfs none {hidden} && hostname node-b && exec ip netns exec {namespaces}"
    before = ("unshare", "--mount", "--uts", "sh", "-c", f'{inside} "$@"', "sh")
    cluster.worker(before=before, host="10.213.7.2")
    shared = tmp_path / "wine.csv"
    from sklearn.datasets import load_wine

    load_wine(as_frame=True).frame.to_csv(shared, index=False)
    given = (*QUICK[:2], *QUICK[4:], "--data", str(shared), "--data.target", "target")
    flags: tuple[str, ...] = ("--compute.engine", "dask", "--compute.address", cluster.address)
    flags += ("--out", str(tmp_path / "out"))
    report = report_of(cv(*given, *flags, folder=home, **api, TMPDIR=str(hidden)))
    assert_same(report, alone(given))
    assert set(execution(report)["host"].to_pylist()) == {"node-b"}
    inner = (*QUICK[:2], *QUICK[4:], "--data", str(hidden / "wine.csv"))
    shutil.copy(shared, hidden / "wine.csv")
    refused = cv(*inner, "--data.target", "target", *flags, folder=home, **api, TMPDIR=str(hidden))
    assert refused.code == 2, refused.err
    assert "data.source: node tcp://10.213.7.2" in refused.err
    assert len(refused.err.strip().splitlines()) == 1
    unseen = cv(*given, *flags[:4], "--out", str(hidden / "out"), folder=home, **api)
    assert unseen.code == 2
    assert unseen.err.startswith("out: node tcp://10.213.7.2")


@standing
def test_an_address_that_nobody_answers_is_refused_at_once(home, api):
    for engine in ("dask", "ray"):
        address = f"127.0.0.1:{free_port()}"
        found = cv("--compute.engine", engine, "--compute.address", address, folder=home, **api)
        assert found.code == 2
        assert f"compute.address: nobody answers at '{address}'" in found.err
        assert len(found.err.strip().splitlines()) == 1


@standing
def test_a_server_of_another_kind_is_refused(home, api):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        for engine in ("dask", "ray"):
            flags = ("--compute.engine", engine, "--compute.address", address)
            found = cv(*flags, folder=home, **api)
            assert found.code == 2
            assert found.err.startswith(f"compute.address: '{address}' is no ")
            assert len(found.err.strip().splitlines()) == 1


@standing
def test_an_engine_that_is_not_installed_is_named_with_its_command(home, api, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nfrom importlib.machinery import PathFinder\n"
        "real = PathFinder.find_spec\n"
        "def find(name, path=None, target=None):\n"
        "    return None if name in ('distributed', 'ray') else real(name, path, target)\n"
        "PathFinder.find_spec = find\n"
    )
    path = os.pathsep.join([str(tmp_path), os.getenv("PYTHONPATH", "")])
    for engine, package in (("dask", "distributed"), ("ray", "ray")):
        found = cv("--compute.engine", engine, folder=home, PYTHONPATH=path, **api)
        assert found.code == 2
        remedy = f"{package} is not installed; {install_command(engine)}"
        assert found.err.strip() == f"compute.engine: {remedy}"
