"""Folders of Parquet files whose names are columns."""

from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from tests.support.reading import load, refused


def write_part(folder: Path, **columns: Any) -> None:
    folder.mkdir(parents=True)
    parquet.write_table(pa.table(columns), folder / "part-0.parquet")


def test_names_of_folders_are_columns(tmp_path: Path) -> None:
    for year in (2023, 2024):
        for site in ("north", "a%20b"):
            write_part(tmp_path / "t" / f"year={year}" / f"site={site}", a=[1.5, 2], y=[0, 1])
    (tmp_path / "t" / "_SUCCESS").touch()
    raw = load(str(tmp_path / "t"), target="y")
    assert raw.features.column_names == ["a", "year", "site"]
    assert raw.features["year"].to_pylist() == [2023] * 4 + [2024] * 4
    assert pa.types.is_integer(raw.features["year"].type)
    assert raw.features["site"].to_pylist() == (["a b"] * 2 + ["north"] * 2) * 2
    grouped = load(str(tmp_path / "t"), target="y", groups="site")
    assert list(grouped.groups[:3]) == ["a b", "a b", "north"]


def test_names_above_the_source_are_none(tmp_path: Path) -> None:
    write_part(tmp_path / "run=5" / "t", a=[1.5, 2], y=[0, 1])
    for source in ("t", "t/part-0.parquet"):
        assert load(str(tmp_path / "run=5" / source), target="y").features.column_names == ["a"]


def test_a_column_of_files_and_folders_is_refused(tmp_path: Path) -> None:
    write_part(tmp_path / "t" / "year=2024", year=[2024, 2024], y=[0, 1])
    assert refused(str(tmp_path / "t"), target="y") == (
        "data.source: column 'year' stands in the files and in the names of their folders; "
        "rename one of the two"
    )
