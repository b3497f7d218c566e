"""Columns that float32 is too coarse for are scaled in float64; ordinary ones stay as they were."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.data import npy
from foldproof.tasks.data import wide_columns as wide
from foldproof.tasks.data.features import write_features
from foldproof.tasks.data.wide_columns import merging_columns, merging_target
from foldproof.tasks.evaluation.findings.precision import of_data
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.fold_retries import train_without_prefect
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.store.fold_file import read_fold
from tests.support.command import cv
from tests.support.spy import SPY
from tests.support.training import settings, train_some

RANDOM = np.random.default_rng(5)
ROWS = 400
ESTIMATOR = "sklearn.linear_model:LogisticRegression"
SECONDS = 1_767_225_600 + RANDOM.permutation(ROWS)
WIDE = {
    "unix": SECONDS,
    "milliseconds": SECONDS * 1000 + 7,
    "ids": 900_000_001 + 3 * RANDOM.permutation(ROWS),
    "days": 20_260_000 + RANDOM.permutation(ROWS),
    "julian": 2_460_000.5 + RANDOM.permutation(ROWS) / 86_400,
    "offset": 1e6 + RANDOM.normal(size=ROWS) / 100,
    "negative": -SECONDS,
    "whole floats": SECONDS.astype(np.float64),
}
PLAIN = {
    "random": RANDOM.normal(size=ROWS),
    "uniform": RANDOM.uniform(0, 1e12, ROWS),
    "many": RANDOM.uniform(0, 1, ROWS),
    "even": 2**24 + 2 * np.arange(ROWS),
    "counts": np.arange(ROWS),
    "constant": np.full(ROWS, 1e9 + 0.1),
    "celsius": np.round(RANDOM.uniform(15, 35, ROWS), 1),
    "true": np.arange(ROWS) % 2 == 0,
    "single": (1e6 + RANDOM.normal(size=ROWS)).astype(np.float32),
}


def names_of(columns, folder):
    table = pa.table(columns)
    found = merging_columns(table, write_features(table, folder / "features.npy"))
    return {column.name: (column.distinct, column.left) for column in found}


def test_columns_that_lose_values_are_found_and_no_others(tmp_path):
    found = names_of(PLAIN | WIDE, tmp_path)
    assert sorted(found) == sorted(WIDE)
    for name, (distinct, left) in found.items():
        values = np.asarray(WIDE[name], np.float64)
        assert distinct == len(np.unique(values))
        assert left == len(np.unique(values.astype(np.float32))) < distinct


def test_thousands_of_ordinary_values_stay_float32_though_two_of_them_meet(tmp_path):
    values = RANDOM.normal(size=50_000)
    assert len(np.unique(values.astype(np.float32))) < len(np.unique(values))
    assert names_of({"a": values}, tmp_path) == {}


@pytest.mark.parametrize("kind", [np.int64, np.float64, np.uint64])
@pytest.mark.parametrize("block", [1, 7, 1 << 22])
def test_arrays_of_any_shape_are_looked_at_in_blocks(tmp_path, kind, block, monkeypatch):
    monkeypatch.setattr(npy, "BLOCK_VALUES", block)
    array = np.zeros((ROWS, 2, 3), kind)
    array[:, 1, 2], array[:, 0, 1] = SECONDS, np.arange(ROWS)
    (found,) = merging_columns(array, write_features(array, tmp_path / "features.npy"))
    assert (found.name, found.place, found.distinct) == ("(1, 2)", 5, ROWS)
    written = wide.write_wide(array, (found,), tmp_path / "wide.npy")
    np.testing.assert_array_equal(written[:, 0], SECONDS)


def test_plain_data_has_no_further_file_and_the_digest_it_had(prepare):
    dataset = prepare(source="iris")
    assert dataset.merged == ()
    assert not any("wide" in path.name for path in dataset.folder.iterdir())


def test_what_float32_hides_is_part_of_the_datas_digest(prepare):
    table = np.column_stack([SECONDS, np.arange(ROWS) % 7]).astype(np.float64)
    other = table.copy()
    other[0, 0] = np.float64(np.float32(table[0, 0]))
    assert other[0, 0] != table[0, 0]
    digests = {prepare(DataSpec.from_arrays(x, np.arange(ROWS) % 2)).digest for x in (table, other)}
    assert len(digests) == 2


def test_times_separate_classes_as_scikit_learn_does_in_float64(tmp_path):
    late = np.median(SECONDS) < SECONDS
    csv.write_csv(pa.table({"t": SECONDS, "y": late.astype(int)}), tmp_path / "a.csv")
    given = settings(tmp_path / "out", ESTIMATOR)
    given["data"] = {"source": str(tmp_path / "a.csv"), "target": "y"}
    with launched(Run(parse_study(given), Display("quiet"))) as run:
        run.check()
        assert [train_without_prefect(run, job).error for job in run.jobs] == [None] * 5
        for job in run.jobs:
            train, test = np.load(job.train_path), np.load(job.test_path)
            features = SECONDS[:, None].astype(np.float64)
            scaler = StandardScaler().fit(features[train])
            scaled = scaler.transform(features).astype(np.float32)
            model = LogisticRegression().fit(scaled[train], late[train].astype(int))
            raw = read_fold(job.store, job.key).raw
            np.testing.assert_array_equal(raw, model.predict_proba(scaled[test]))
            assert roc_auc_score(late[test], raw[:, 1]) == 1.0


def test_an_unscaled_column_is_a_finding_of_the_report(here, prefect_api):
    table = {"t": SECONDS, "u": SECONDS + 1, "y": np.arange(ROWS) % 2}
    parquet.write_table(pa.table(table), "a.parquet")
    arguments = ["--data", "a.parquet", "--data.target", "y", "--model", ESTIMATOR]
    ended = cv(
        *arguments,
        *("--train.scaler", "none", "--split.n_splits", "2"),
        folder=here,
        PREFECT_API_URL=prefect_api,
    )
    left = len(np.unique(SECONDS.astype(np.float32)))
    line = (
        f"column 't' (and 1 more) is too fine for float32: {left} of 400 distinct values are left; "
        "set train.scaler: standard, which keeps them apart"
    )
    assert ended.code == 0, ended.err
    assert line in ended.out + ended.err
    report = next((here / "reports" / "runs").iterdir())
    assert "is too fine for float32" in (report / "report.html").read_text()


def test_a_target_that_float32_is_too_coarse_for_is_told_of_nets_alone(prepare):
    rows = RANDOM.normal(size=(ROWS, 2))
    dataset = prepare(DataSpec.from_arrays(rows, 2_460_000.5 + np.arange(ROWS) / 86_400))
    left = len(np.unique(dataset.codes().astype(np.float32)))
    told = [one.text() for one in of_data(dataset, TrainSpec(), keras=True)]
    assert told == [
        f"FP119 the target is too fine for float32: {left} of 400 distinct values are left; "
        "set train.target_scaler: standard, which keeps them apart"
    ]
    assert list(of_data(dataset, TrainSpec(target_scaler="auto"), keras=True)) == []
    assert list(of_data(dataset, TrainSpec(), keras=False)) == []
    assert merging_target(RANDOM.normal(size=ROWS)) is None


def test_a_column_that_no_scaling_saves_is_told(prepare):
    far = SECONDS.astype(np.float64)
    far[: ROWS // 2] = np.arange(ROWS // 2)
    dataset = prepare(DataSpec.from_arrays(np.column_stack([far, far]), np.arange(ROWS) % 2))
    (line,) = (one.text() for one in of_data(dataset, TrainSpec(), keras=True))
    assert line.startswith("FP119 column '0' is too fine for float32: ")
    assert line.endswith(
        " of 400 distinct values are left, even when it is scaled; "
        "divide it into two, such as days and seconds"
    )
    assert len(line) <= 200
    near = prepare(DataSpec.from_arrays(SECONDS[:, None], np.arange(ROWS) % 2))
    assert list(of_data(near, TrainSpec(), keras=True)) == []


MARKS = (1_700_000_123.0, 1_700_000_456.0, 1_700_000_789.0)
KEEPER = """
class Keeper:
    def fit(self, X):
        self.rows = X.copy()
        return self

    def transform(self, X):
        return X / 1e9
"""


def test_wide_test_rows_are_out_of_reach_while_the_model_trains(tmp_path, slots, monkeypatch):
    row = "np.array([8123.4567, -517.25, 93.75], np.float32)"
    spy = SPY.replace(row, f"np.array({list(MARKS)}, np.float64)")
    assert row not in spy
    (tmp_path / "wide_spy.py").write_text(spy)
    (tmp_path / "keeper.py").write_text(KEEPER)
    monkeypatch.chdir(tmp_path)
    fold = np.arange(60) // 30
    columns = {f"x{i}": 1_700_000_000.0 + RANDOM.permutation(60) for i in range(3)}
    for name, mark in zip(columns, MARKS, strict=True):
        columns[name][fold == 0] = mark
    parquet.write_table(pa.table(columns | {"y": np.arange(60) % 2, "fold": fold}), "data.parquet")
    given = settings(
        tmp_path,
        "wide_spy:build",
        data={"source": "data.parquet", "target": "y"},
        split={"method": "predefined", "fold_column": "fold"},
        train={"scaler": "keeper:Keeper", "epochs": 1, "engine": "plain"},
    )
    records, _ = train_some(given, [(0, 0), (0, 1)], slots)
    assert records[0].error is None, records[0].traceback
    assert "finds the marked rows" in (records[1].error or ""), "the search must find what is there"
