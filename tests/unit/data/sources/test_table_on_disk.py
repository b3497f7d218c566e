"""Tables on disk: read in batches, with the results of a whole reading."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.dataset import prepare_data
from foldproof.tasks.data.sources import table_on_disk
from foldproof.tasks.data.sources.read import read
from foldproof.tasks.data.sources.table_on_disk import TableOnDisk
from tests.support.inputs import Prepare

ROWS = 23
RANDOM = np.random.default_rng(5)
COLUMNS: dict[str, Any] = {
    "wide": RANDOM.normal(size=ROWS),
    "a": RANDOM.normal(size=ROWS).astype(np.float32),
    "a.b": np.arange(ROWS, dtype=np.int16),
    "large": 2**40 + np.arange(ROWS),
    "flag": RANDOM.random(ROWS) > 0.5,
    "y": np.arange(ROWS) % 2,
}


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_on_disk, "COLUMNS_AT_A_TIME", 2)
    monkeypatch.setattr(table_on_disk, "ROWS_AT_A_TIME", 5)


def written(folder: Path, columns: dict[str, Any], parts: int = 1) -> str:
    """Write a table as one file, or as a folder of several."""
    table = pa.table(columns)
    if parts == 1:
        parquet.write_table(table, folder / "t.parquet", row_group_size=11)
        return str(folder / "t.parquet")
    step = -(-table.num_rows // parts)
    for part in range(parts):
        parquet.write_table(table.slice(part * step, step), folder / f"{part}.parquet")
    return str(folder)


def in_memory(columns: dict[str, Any], folder: Path) -> Any:
    """Prepare the same of a kind of file that is read whole."""
    folder.mkdir()
    feather.write_feather(pa.table(columns), folder / "t.feather")
    return prepare_data(DataSpec(source=str(folder / "t.feather"), target="y"), None, folder)


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("drop", [[], ["large"]])
def test_batches_give_the_data_of_a_whole_table(
    parts: int, drop: list[str], tmp_path: Path
) -> None:
    source = written(tmp_path, COLUMNS, parts)
    raw = read(DataSpec(source=source, target="y", drop=drop), None)
    assert isinstance(raw.features, TableOnDisk)
    assert (len(raw.features), raw.features.num_columns) == (ROWS, 5 - len(drop))
    (tmp_path / "data").mkdir()
    found = prepare_data(DataSpec(source=source, target="y", drop=drop), None, tmp_path / "data")
    kept = {name: values for name, values in COLUMNS.items() if name not in drop}
    whole = in_memory(kept, tmp_path / "whole")
    assert (found.digest, found.merged, found.facts) == (whole.digest, whole.merged, whole.facts)


@pytest.mark.parametrize("gap", [None, float("nan")])
def test_a_table_with_gaps_is_read_whole(gap: Any, tmp_path: Path, prepare: Prepare) -> None:
    columns = {**COLUMNS, "wide": pa.array([*COLUMNS["wide"][:-1], gap], pa.float64())}
    found = prepare(source=written(tmp_path, columns), target="y")
    assert [column.name for column in found.columns] == [n for n in columns if n != "y"]
    assert found.digest == in_memory(columns, tmp_path / "whole").digest


def test_infinite_values_are_counted_over_all_batches(tmp_path: Path, prepare: Prepare) -> None:
    values = COLUMNS["wide"].copy()
    values[[0, 8, 22]] = np.inf
    with pytest.raises(InputError, match="column 'wide': 3 of 23 values are infinite"):
        prepare(source=written(tmp_path, {**COLUMNS, "wide": values}), target="y")


def test_rows_are_put_in_the_order_of_their_times(tmp_path: Path, prepare: Prepare) -> None:
    columns = {**COLUMNS, "t": np.arange(ROWS)[::-1].copy()}
    found = prepare(source=written(tmp_path, columns), target="y", time="t")
    np.testing.assert_array_equal(found.array("features.npy")[:, 1], COLUMNS["a"][::-1])  # type: ignore[index]


def test_a_file_that_ends_early_is_named(tmp_path: Path, prepare: Prepare) -> None:
    source = Path(written(tmp_path, COLUMNS))
    held = source.read_bytes()
    raw = read(DataSpec(source=str(source), target="y"), None)
    source.write_bytes(held[:40] + bytes(len(held) - 80) + held[-40:])
    assert isinstance(raw.features, TableOnDisk)
    with pytest.raises(InputError, match=r"cannot read .*t\.parquet.*check that the file is whole"):
        list(raw.features.batches())


def test_files_with_different_columns_are_read_whole(tmp_path: Path) -> None:
    first = {name: values for name, values in COLUMNS.items() if name != "flag"}
    parquet.write_table(pa.table(COLUMNS), tmp_path / "0.parquet")
    parquet.write_table(pa.table(first), tmp_path / "1.parquet")
    raw = read(DataSpec(source=str(tmp_path), target="y"), None)
    assert isinstance(raw.features, pa.Table)
    assert len(raw.features) == 2 * ROWS
