"""Whether a fold's rows stay on disk: by what they need and what there is."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.machine.memory import MIB, free_bytes
from foldproof.tasks.training.streaming import need
from foldproof.tasks.training.streaming.need import columns_at_a_time, need_of, streams
from tests.support.reports import prepared, settings

X = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
Y = np.arange(60) % 2


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FoldJob]:
    given = settings(tmp_path_factory.mktemp("out"), data=DataSpec.from_arrays(X, Y))
    with prepared(given) as run:
        yield run.jobs[0]


def with_train(job: FoldJob, **changed: Any) -> FoldJob:
    return replace(job, train=job.train.model_copy(update=changed))


@contextmanager
def only(mib: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(need, "free_bytes", lambda: int(mib * MIB))
        yield


def test_the_need_counts_rows_as_they_are_read_and_what_fitting_takes(job: FoldJob) -> None:
    found = need_of(job, 40)
    assert (found.shape, found.width, found.kind.name) == ((5,), 5, "float32")
    assert found.least == 40 * 5 * 4
    assert found.bytes == 40 * 5 * (4 + need.FITTING["standard"])
    assert need_of(with_train(job, scaler="none"), 40).bytes == found.least


def test_auto_streams_what_would_not_fit(job: FoldJob, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not streams(job, 40)
    with only(0.001, monkeypatch):
        assert streams(job, 40)
        assert not streams(with_train(job, stream="never"), 40)
    assert streams(with_train(job, stream="always"), 40)


@pytest.mark.parametrize(
    ("changed", "setting"),
    [
        ({"scaler": "sklearn.preprocessing:MaxAbsScaler"}, "train.scaler: sklearn.preprocessing:"),
        ({"engine": "compiled"}, "train.engine: compiled"),
    ],
)
def test_a_step_that_takes_all_rows_is_refused_where_they_do_not_fit(
    changed: Any, setting: str, job: FoldJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not streams(with_train(job, **changed), 400_000)
    with only(5, monkeypatch), pytest.raises(InputError) as refused:
        streams(with_train(job, **changed), 400_000)
    said = str(refused.value)
    assert said.startswith(setting)
    assert "400000 training rows at once, which need 7 MiB, but 5 MiB are left to this" in said
    assert "raise compute.memory_limit" in said
    with pytest.raises(InputError, match=r"train\.stream: always, but .* takes all rows"):
        streams(with_train(job, **changed, stream="always"), 40)


def test_a_scaler_takes_as_many_columns_as_fit(
    job: FoldJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = need_of(job, 1_000_000)  # 13 MiB a column
    with only(212, monkeypatch):
        assert columns_at_a_time(found) == 3
    with only(20, monkeypatch), pytest.raises(InputError) as refused:
        columns_at_a_time(found)
    assert "2 columns of all 1000000 training rows at once, which need 26 MiB, but 20" in str(
        refused.value
    )


def test_a_limit_is_what_the_process_may_still_take(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    assert free_bytes() > 0
    lines = Path("/proc/self/status").read_text().splitlines()
    held = int(next(line for line in lines if line.startswith("VmData")).split()[1]) * 2**10
    try:
        resource.setrlimit(resource.RLIMIT_DATA, (held + 300 * MIB, before[1]))
        assert 200 * MIB < free_bytes() < 310 * MIB
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
