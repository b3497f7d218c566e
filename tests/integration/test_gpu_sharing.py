"""Folds that share a GPU; the GPU is simulated, the processes and the waiting are real."""

import threading

import pytest

from foldproof.tasks.common.errors import Interrupted
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.machine.devices import Device, Placement
from foldproof.tasks.machine.numerics import Numerics
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.scratch import make_scratch, remove_scratch
from foldproof.tasks.workers.gpu_sharing import GpuGate
from foldproof.tasks.workers.slots import Slots
from tests.support.processes import PATIENCE_S, join_all, wait_for
from tests.support.training import settings


@pytest.fixture
def shared_slots():
    """Two slots on one GPU, each with a limit."""
    devices = tuple(Device(f"gpu:0.{part}", "0", memory=1000) for part in range(2))
    scratch = make_scratch()
    slots = Slots(Placement(devices, Numerics(1, "cpu")), False, scratch, scratch / "log")
    yield slots
    slots.stop()
    remove_scratch(scratch)


def test_a_fold_without_memory_runs_again_alone_on_the_gpu(tmp_path, shared_slots):
    given = settings(
        tmp_path / "out",
        "tests.support.hungry:build",
        split={"method": "kfold", "n_splits": 3},
        model={"builder": "tests.support.hungry:build", "params": {"folder": str(tmp_path)}},
    )
    with launched(Run(parse_study(given), Display("quiet"), slots=shared_slots)) as run:
        run.check()
        records = {}

        def train(job):
            records[job.key] = train_without_prefect(run, job)

        threads = [threading.Thread(target=train, args=(job,)) for job in run.jobs]
        for thread in threads:
            thread.start()
        join_all(threads)
        sizes = [fold.n_train % 2 for fold in run.plan.folds]
        tries = [records[job.key].attempt for job in run.jobs]
    assert [record.error for record in records.values()] == [None] * 3
    assert sorted(set(sizes)) == [0, 1]
    assert tries == [1 + odd for odd in sizes]
    lines = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    exclusive = [line for line in lines if line[1] == "alone"]
    assert len(exclusive) == sum(sizes)
    assert {(hungry, beside) for hungry, _, beside, _ in exclusive} == {("1", "0")}
    others = {pid for _, limit, _, pid in lines if limit == "1000"}
    assert not others & {pid for *_, pid in exclusive}  # a process of its own


def test_who_waits_to_be_alone_goes_before_later_ones():
    gate, order = GpuGate(), []
    inside, leave = threading.Event(), threading.Event()

    def first():
        with gate.shared():
            inside.set()
            assert leave.wait(PATIENCE_S)
            order.append("first")

    def exclusive():
        with gate.exclusive():
            order.append("exclusive")

    def late():
        with gate.shared():
            order.append("late")

    threads = [threading.Thread(target=first)]
    threads[0].start()
    assert inside.wait(PATIENCE_S)
    threads.append(threading.Thread(target=exclusive))
    threads[1].start()
    wait_for(lambda: gate._waiting)
    threads.append(threading.Thread(target=late))
    threads[2].start()
    leave.set()
    join_all(threads)
    assert order == ["first", "exclusive", "late"]


def test_nobody_enters_after_the_end():
    gate = GpuGate()
    gate.close()
    with pytest.raises(Interrupted), gate.shared():
        pass
    with pytest.raises(Interrupted), gate.exclusive():
        pass
