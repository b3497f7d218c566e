"""What many folds and large files take is bounded: threads, memory, what Prefect is sent."""

import gc
import json
import logging
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from foldproof.flows.cv import cross_validate
from foldproof.tasks.evaluation.columns import Columns
from foldproof.tasks.machine.devices import Device, Placement
from foldproof.tasks.machine.numerics import Numerics
from foldproof.tasks.prefect_flow.fold_task import MAX_STORED_TASKS
from foldproof.tasks.prefect_flow.lifecycle import flush_to_api
from foldproof.tasks.prefect_ui import artifacts
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.object_storage import Remote
from foldproof.tasks.store.scratch import make_scratch, remove_scratch
from foldproof.tasks.workers.slots import Slots
from tests.support.processes import PATIENCE_S
from tests.support.reports import finish, settings

MANY: dict[str, Any] = {"split": {"method": "leave_one_out"}, "metrics": ["accuracy"]}

BLOCK = 1 << 22  # bytes
POOL = pa.proxy_memory_pool(pa.default_memory_pool())  # must outlive what it has given out


class Counted(ThreadPoolExecutor):
    """A pool that remembers how many calls were under way or waiting at once; each takes long."""

    pause = 0.1  # seconds, within which all could be asked for
    now = most = 0
    lock = threading.Lock()

    def submit(self, function, /, *arguments, **options):
        with Counted.lock:
            Counted.now += 1
            Counted.most = max(Counted.most, Counted.now)
        future = super().submit(self.slowly, function, *arguments, **options)
        future.add_done_callback(Counted.done)
        return future

    @staticmethod
    def slowly(function, *arguments, **options):
        time.sleep(Counted.pause)
        return function(*arguments, **options)

    @staticmethod
    def done(_):
        with Counted.lock:
            Counted.now -= 1


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A finished run of 150 folds, its folds in the store."""
    return finish(tmp_path_factory.mktemp("many"), **MANY)


def test_stored_folds_go_through_prefect_a_few_at_a_time(many, prefect_api, monkeypatch):
    import prefect.task_runners

    monkeypatch.setattr(prefect.task_runners, "ThreadPoolExecutor", Counted)
    with temporary_settings({PREFECT_API_URL: prefect_api}):
        result = cross_validate(**settings(many.run.out, **MANY))
        flush_to_api()
    assert (result.n_folds, result.n_failed) == (150, 0)
    assert 0 < Counted.most <= MAX_STORED_TASKS + 5  # the other steps of the flow


def test_joining_columns_takes_one_column_more():
    names = [f"score_{number}" for number in range(20)]
    columns = Columns(pa.schema([(name, pa.float64()) for name in names]))
    before = pa.default_memory_pool()
    pa.set_memory_pool(POOL)
    try:
        for _ in range(50):
            columns.add(1000, **dict.fromkeys(names, 0.5))
        table = columns.table()
    finally:
        pa.set_memory_pool(before)
    assert table.num_rows == 50_000
    assert POOL.max_memory() < 1.4 * table.nbytes


def test_a_table_of_many_folds_names_those_that_failed_and_counts_the_rest(many):
    folds = many.tables.folds.to_pylist()
    folds[-1] |= {"status": "failed", "error": "ValueError: boom"}
    table = pa.Table.from_pylist(folds * 40, schema=many.tables.folds.schema)
    labels = [f"fold {number}" for number in range(table.num_rows)]
    rows = artifacts.fold_rows(replace(many.tables, folds=table), ("accuracy",), labels)
    assert len(rows) == artifacts.MAX_TABLE_FOLDS + 1
    assert [row["status"] for row in rows[:41]] == ["failed"] * 40 + ["ok"]
    assert rows[-1]["task"] == "and 5500 more; see folds.parquet"
    assert len({tuple(row) for row in rows}) == 1
    assert len(json.dumps(rows)) < 200_000


def test_a_large_file_is_sent_in_blocks(tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    with (tmp_path / "here" / "large").open("wb") as file:
        file.truncate(16 * BLOCK)
    remote = Remote((tmp_path / "there").as_uri())
    assert remote.names("") == frozenset()  # pyarrow is loaded
    tracemalloc.start()
    try:
        remote.send(["large"], tmp_path / "here")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "there" / "large").stat().st_size == 16 * BLOCK
    assert peak < 4 * BLOCK


def test_a_run_leaves_its_arrays(tmp_path):
    from foldproof.tasks.config.data import DataSpec
    from foldproof.tasks.config.in_memory.arrays_in_memory import find_arrays

    data = DataSpec.from_arrays(np.arange(24.0).reshape(12, 2), [0, 1] * 6)
    source = data.source
    finished = finish(tmp_path, data=data, metrics=["accuracy"])
    assert finished.tables.failed == 0
    del data, finished
    gc.collect()
    assert find_arrays(source) is None


@pytest.fixture
def curious():
    """Show the debug log, as --verbose does, for one test."""
    Display("verbose")
    yield
    log = logging.getLogger("foldproof")
    log.handlers.clear()
    log.setLevel(logging.NOTSET)
    log.propagate = True


def test_a_warm_up_that_fails_is_seen_by_the_curious(curious, capsys):
    scratch = make_scratch()
    slots = Slots(
        Placement((Device("cpu:0", ""),), Numerics(1, "cpu")), False, scratch, scratch / "log"
    )
    try:
        slots._in_background(slots.slots[0], int, "seven").join(PATIENCE_S)
    finally:
        slots.stop()
        remove_scratch(scratch)
    said = capsys.readouterr().err
    assert said.startswith("int failed on cpu:0\n")
    assert "ValueError: invalid literal for int() with base 10: 'seven'" in said
