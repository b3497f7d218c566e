"""Folds on a real GPU: the same bytes in every way, and what happens when it is full."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from foldproof.tasks.machine.devices import visible_gpus
from tests.support.command import CV, contents, cv, report_of, run
from tests.support.places import ROOT
from tests.support.processes import Ended

# A net is trained several times, and each process needs seconds until it can use the GPU.
pytestmark = [pytest.mark.gpu, pytest.mark.timeout(1500)]

AUDIT_S = 1200  # a guard against hanging: an audit fits a model many times
NETS = "tests.support.gpu_nets"
DIGITS = ("--data", "digits", "--split.n_splits", "5")
CONV = (*DIGITS, "--model", f"{NETS}:conv", "--train.epochs", "5")
LSTM = (*DIGITS, "--model", f"{NETS}:recurrent", "--train.epochs", "5")
MLP = ("--data", "breast_cancer", "--train.epochs", "20")
LINEAR = ("--model", "sklearn.linear_model:LogisticRegression", "--split.n_splits", "3")

DEPTH = 24  # layers of the net that fills a GPU
KEPT_MIB = 4 * DEPTH  # that it keeps of a row
FILLED = 0.6  # of the GPU's memory, before what a step takes besides

SHARE_MIB = 3000  # of the GPU, for a fold that does not get along with it
HUNGER_MIB = 4096  # what that takes


@pytest.fixture(scope="module", autouse=True)
def gpu() -> Iterator[str]:
    """The first GPU, the only one that is used; its name for nvidia-smi."""
    found = visible_gpus()
    if not found:
        pytest.skip("no GPU is visible here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUDA_VISIBLE_DEVICES", found[0][0])
        yield found[0][0]


def memory_mib(gpu: str, kind: str) -> int:
    """Return how much memory the GPU has (total), or how much of it is in use (used)."""
    command = ["nvidia-smi", f"--id={gpu}", f"--query-gpu=memory.{kind}"]
    listing = subprocess.run(
        [*command, "--format=csv,noheader,nounits"], capture_output=True, text=True, check=True
    )
    return int(listing.stdout)


Train = Callable[..., Path]


def on_gpu(*flags: str) -> tuple[str, ...]:
    return (*flags, "--compute.device", "gpu")


def sharing(folds: int) -> tuple[str, ...]:
    return ("--compute.folds_per_gpu", str(folds))


@pytest.fixture(scope="module")
def api(prefect_api: str) -> dict[str, str]:
    """The address of a real Prefect server."""
    return {"PREFECT_API_URL": prefect_api}


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory, api: dict[str, str]) -> Train:
    """Train on the GPU, each time into a new folder, and return the report."""

    def new(*flags: str) -> Path:
        return report_of(cv(*on_gpu(*flags), folder=tmp_path_factory.mktemp("run"), **api))

    return new


@pytest.fixture(scope="module")
def conv(train: Train) -> Path:
    """A report of convolutions, one fold at a time on the GPU."""
    return train(*CONV)


def executions(report: Path) -> list[dict[str, Any]]:
    """Return how each fold was trained."""
    return parquet.read_table(report / "execution.parquet").to_pylist()


def test_what_says_that_it_ran_on_the_gpu_did(conv: Path) -> None:
    numerics = json.loads((conv / "manifest.json").read_text())["key"]["numerics"]
    assert (numerics["device"], numerics["gpu"]) == ("gpu", visible_gpus()[0][1])
    assert {row["device"] for row in executions(conv)} == {"gpu:0"}


@pytest.mark.parametrize(
    "flags",
    [(), ("--train.engine", "plain"), ("--train.engine", "compiled"), sharing(3)],
    ids=["again", "plain", "compiled", "three folds a GPU"],
)
def test_convolutions_give_the_same_bytes(flags: tuple[str, ...], conv: Path, train: Train) -> None:
    assert contents(train(*CONV, *flags)) == contents(conv)


@pytest.mark.parametrize("net", [LSTM, MLP], ids=["LSTM", "MLP"])
def test_other_nets_give_the_same_bytes(net: tuple[str, ...], train: Train) -> None:
    once = contents(train(*net))
    assert contents(train(*net, "--train.engine", "plain")) == once
    assert contents(train(*net, *sharing(2))) == once


def test_a_report_is_verified(conv: Path, tmp_path: Path) -> None:
    verify = [sys.executable, str(ROOT / "flows" / "verify.py"), str(conv), "--folds", "3"]
    ended = run([*verify, "--trust-builder"], tmp_path)
    assert ended.code == 0, ended.out + ended.err
    lines = ended.out.splitlines()
    assert sum(line.startswith("fold ") and line.endswith(": identical") for line in lines) == 3
    assert lines[-1] == "identical"


def test_shared_and_alone_differ_in_seconds_only(
    train: Train, capsys: pytest.CaptureFixture[str]
) -> None:
    """What sharing gains depends on the net and the GPU: it is printed, and nothing is asserted."""
    many = (*CONV, "--split.n_splits", "12", "--train.epochs", "20")
    reports = {folds: train(*many, *sharing(folds)) for folds in (1, 3)}
    assert contents(reports[3]) == contents(reports[1])
    with capsys.disabled():
        for folds, report in reports.items():
            print(f"\n{folds} at a time: {seconds_of(report)}", end="")


def seconds_of(report: Path) -> str:
    """Say how long the folds took, from the first one's start to the last one's end."""
    rows = executions(report)
    whole = max(map(ended_at, rows)) - min(row["started_at"].timestamp() for row in rows)
    fold = sum(row["seconds_fit"] for row in rows) / len(rows)
    return f"{len(rows)} folds in {whole:.1f} s, {fold:.2f} s a fit"


def ended_at(row: dict[str, Any]) -> float:
    parts = sum(row[f"seconds_{part}"] for part in ("build", "fit", "predict"))
    return row["started_at"].timestamp() + parts


def test_a_fold_that_runs_out_of_memory_is_trained_again_alone(gpu: str, train: Train) -> None:
    """Of three folds the last one has an even number of training rows, which makes it hungry."""
    model = ("--model", f"{NETS}:hungry", "--model.params", json.dumps({"mib": HUNGER_MIB}))
    one_batch = ("--train.batch_size", "1024", "--train.epochs", "3")
    three = (*model, *one_batch, "--split.method", "kfold", "--split.n_splits", "3")
    parts = max(2, memory_mib(gpu, "total") // SHARE_MIB)
    shared = train(*three, *sharing(parts), "--compute.workers", "3")
    alone = train(*three)
    *others, hungry = executions(shared)
    assert [row["attempt"] for row in (*others, hungry)] == [1, 1, 2]
    assert hungry["started_at"].timestamp() >= max(map(ended_at, others))
    assert [row["attempt"] for row in executions(alone)] == [1, 1, 1]
    assert contents(shared) == contents(alone)


def test_a_net_that_fills_most_of_the_gpu_gives_the_same_bytes(
    gpu: str, train: Train, start: Any, tmp_path: Path, api: dict[str, str]
) -> None:
    rows = int(FILLED * memory_mib(gpu, "total")) // KEPT_MIB
    model = ("--model", f"{NETS}:deep", "--model.params", json.dumps({"depth": DEPTH}))
    twice = ("--data", "digits", "--split.n_splits", "2", "--train.epochs", "1")
    flags = (*twice, *model, "--train.batch_size", str(rows))
    begun, peak = start([*CV, *on_gpu(*flags)], tmp_path, **api), 0
    while begun.process.poll() is None:
        peak = max(peak, memory_mib(gpu, "used"))
        time.sleep(0.5)
    once = report_of(begun.ended())
    assert peak > memory_mib(gpu, "total") / 2
    assert [row["attempt"] for row in executions(once)] == [1, 1]
    assert contents(train(*flags)) == contents(once)


def test_an_audit_finds_that_foldproofs_way_comes_back(tmp_path: Path) -> None:
    audit = [sys.executable, str(ROOT / "flows" / "audit.py"), *on_gpu(*CONV)]
    ended = run([*audit, "--train.epochs", "2"], tmp_path, AUDIT_S)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("foldproof's way gave the same bits twice.")


def test_a_comparison_comes_back(tmp_path: Path, api: dict[str, str]) -> None:
    once, again = (compared(tmp_path / name, api) for name in ("once", "again"))
    assert contents(report_of(again)) == contents(report_of(once))
    assert "Nadeau-Bengio corrected t" in once.out


def compared(folder: Path, api: dict[str, str]) -> Ended:
    """Compare two nets in a new folder."""
    folder.mkdir()
    for name in ("conv", "recurrent"):
        (folder / f"{name}.yaml").write_text(f"model: {NETS}:{name}\n")
    compare = [sys.executable, str(ROOT / "flows" / "compare.py"), "conv.yaml", "recurrent.yaml"]
    return run([*compare, *on_gpu(*DIGITS, "--train.epochs", "2")], folder, **api)


def test_a_gpu_that_is_visible_and_not_used_is_told(tmp_path: Path, api: dict[str, str]) -> None:
    """An empty package of their name hides the packages of CUDA's libraries."""
    if find_library("cudnn") is not None:
        pytest.skip("the system has cuDNN, which nothing hides")
    (tmp_path / "empty" / "nvidia").mkdir(parents=True)
    (tmp_path / "empty" / "nvidia" / "__init__.py").touch()
    path = os.pathsep.join([str(tmp_path / "empty"), os.environ["PYTHONPATH"]])
    ended = cv(*LINEAR, folder=tmp_path, PYTHONPATH=path, **api)
    assert report_of(ended).is_dir()
    name = visible_gpus()[0][1]
    assert f"{name} is visible and not used: CUDA's libraries are not installed" in ended.err
