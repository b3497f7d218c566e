"""Arrow's files, and the same table in every kind of file: real files of real writers."""

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import feather

from tests.support.reading import digest, load, refused, write

FRAME = pd.DataFrame(
    {
        "age": [50, 61, 47, 58],
        "marker": [1.5, np.nan, 0.5, 2.5],
        "site": ["north", "south", None, "north"],
        "seen": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-02-01", "2024-03-01"]),
        "y": [0, 1, 0, 1],
    }
)


def write_stream(path: Path) -> None:
    table = pa.Table.from_pandas(FRAME, preserve_index=False)
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table)


def test_the_same_table_is_the_same_data_in_every_kind_of_file(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "a.parquet", index=False)
    FRAME.to_feather(tmp_path / "a.feather")
    feather.write_feather(FRAME, tmp_path / "z.feather", compression="zstd")
    pl.from_pandas(FRAME).write_ipc(tmp_path / "a.ipc")
    write_stream(tmp_path / "a.arrow")
    FRAME.to_excel(tmp_path / "a.xlsx", index=False)
    FRAME.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    names = ("a.parquet", "a.feather", "z.feather", "a.ipc", "a.arrow", "a.xlsx")
    assert len({digest(str(tmp_path / n), tmp_path / f"{n}-data", target="y") for n in names}) == 1
    assert load(str(tmp_path / "a.tsv"), target="y").features.num_columns == 4


@pytest.mark.parametrize("content", [b"", b"ARROW1", b"hello, no table", b"FEA1" + b"\0" * 64])
def test_a_damaged_arrow_file_is_one_line(tmp_path: Path, content: bytes) -> None:
    line = refused(write(tmp_path, content, "a.arrow"), target="y")
    assert line.startswith("data.source: cannot read '")
    assert line.endswith("; check that the file is whole")


def test_a_cut_arrow_file_is_one_line(tmp_path: Path) -> None:
    FRAME.to_feather(tmp_path / "a.feather")
    whole = (tmp_path / "a.feather").read_bytes()
    source = write(tmp_path, whole[: len(whole) // 2], "cut.feather")
    assert refused(source, target="y").startswith("data.source: cannot read '")
