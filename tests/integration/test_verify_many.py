"""Verifying many folds takes few processes, and looks at each row of the report once."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
from pyarrow import parquet

from foldproof.tasks.common.digest import digest_file
from foldproof.tasks.report import parquet_tables as report_tables
from foldproof.tasks.report.finished import FinishedRun
from foldproof.tasks.report.parquet_tables import by_fold
from foldproof.tasks.verification.refit import verify
from tests.support.processes import join_all
from tests.support.reports import finish

MOST_CHILDREN = 3


@contextmanager
def counted() -> Iterator[list[int]]:
    """Count the processes of each worker host meanwhile."""
    counts, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            for child in psutil.Process().children():
                try:
                    living = [p for p in child.children() if p.status() != psutil.STATUS_ZOMBIE]
                except psutil.NoSuchProcess:
                    continue
                counts.append(len(living))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield counts
    finally:
        over.set()
        join_all([watcher])


@pytest.mark.parametrize("folds", [4, pytest.param(30, marks=pytest.mark.long)])
def test_many_folds_take_few_processes(tmp_path, folds):
    report = finish(tmp_path, data={"source": "breast_cancer"}, split={"n_splits": folds}).path
    lines: list[str] = []
    with counted() as counts:
        assert verify(FinishedRun.read(report), None, None, "bit", lines.append)
    assert [line for line in lines if line.startswith("fold ")] == [
        f"fold 0/{number}: identical" for number in reversed(range(folds))
    ]
    assert 1 <= max(counts) <= MOST_CHILDREN


def test_more_folds_than_a_run_may_have_workers(tmp_path):
    """Most of the folds are made up, so that nothing trains for them."""
    report = finish(tmp_path).path
    table = parquet.read_table(report / "folds.parquet")
    rows = [{**table.to_pylist()[0], "fold": fold} for fold in range(3, 1100)]
    added = pa.concat_tables([table, pa.Table.from_pylist(rows, table.schema)])
    parquet.write_table(added, report / "folds.parquet")
    manifest = json.loads((report / "manifest.json").read_text())
    manifest["files"]["folds.parquet"] = digest_file(report / "folds.parquet")
    (report / "manifest.json").write_text(json.dumps(manifest))
    said: list[str] = []
    assert not verify(FinishedRun.read(report), None, None, "bit", said.append)
    assert sum(line.endswith(": identical") for line in said) == 3
    assert "fold 0/1099: DIFFERENT: the split has no such fold any more" in said


def test_each_table_is_read_once(tmp_path, monkeypatch):
    report = finish(tmp_path, split={"n_splits": 2}).path
    read: list[str] = []
    real = report_tables.read_table

    def noted(path: Path) -> pa.Table:
        read.append(path.name)
        return real(path)

    monkeypatch.setattr("foldproof.tasks.report.finished.read_table", noted)
    assert verify(FinishedRun.read(report), None, None, "bit", lambda line: None)
    assert verify(FinishedRun.read(report), None, 1, "numeric", lambda line: None)
    names = ["execution.parquet", "folds.parquet", "history.parquet", "predictions.parquet"]
    assert sorted(read) == sorted(names * 2)


def test_tables_are_divided_by_fold_in_their_order():
    places = [(1, 0), (0, 1), (0, 0), (1, 0), (0, 1)]
    columns = {"repeat": [r for r, _ in places], "fold": [f for _, f in places]}
    table = pa.table({**columns, "row": range(5)})
    divided = by_fold(table)
    assert {place: part["row"].to_pylist() for place, part in divided.items()} == {
        (0, 0): [2],
        (0, 1): [1, 4],
        (1, 0): [0, 3],
    }
    assert by_fold(table.slice(0, 0)) == {}
