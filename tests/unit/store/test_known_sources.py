"""What is known of a file's samples is found by its bytes, wherever it lies."""

from pathlib import Path

import pytest

from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.dataset import prepare_data
from foldproof.tasks.store.known_sources import (
    SOURCES,
    keep_known,
    known_of,
    read_known,
    source_record,
)

TABLE = "a,b,y\n" + "".join(f"{i},{i * i % 7},{i % 2}\n" for i in range(12))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


def spec(path: Path, **settings: object) -> DataSpec:
    return DataSpec.model_validate({"source": str(path), "target": "y", **settings})


def test_the_same_bytes_have_the_same_record_wherever_they_lie(table: Path) -> None:
    (table.parent / "elsewhere").mkdir()
    copy = table.parent / "elsewhere" / "copy.csv"
    copy.write_text(TABLE)
    record = source_record(spec(table), None)
    assert record is not None
    assert record.startswith(f"{SOURCES}/")
    assert source_record(spec(copy), None) == record


def test_other_bytes_or_another_way_to_read_them_have_another_record(table: Path) -> None:
    names = [
        source_record(spec(table), None),
        source_record(spec(table, drop=["a"]), None),
        source_record(spec(table), "b"),
    ]
    parquet = table.rename(table.with_suffix(".parquet"))
    names.append(source_record(spec(parquet), None))
    table.write_text(TABLE + "12,1,0\n")
    names.append(source_record(spec(table), None))
    assert len(set(names)) == len(names)


def test_a_folder_counts_by_all_of_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "1.parquet").write_bytes(b"1")
    one = source_record(spec(folder), None)
    (folder / "2.parquet").write_bytes(b"2")
    assert one != source_record(spec(folder), None)


def test_nothing_is_known_of_arrays_in_memory_or_of_what_is_not_there(tmp_path: Path) -> None:
    arrays = DataSpec.from_arrays([[0.0], [1.0]] * 2, [0, 1] * 2)
    assert source_record(arrays, None) is None
    bundled = DataSpec.model_validate({"source": "iris"})
    assert source_record(bundled, None) is not None
    assert read_known(tmp_path / "none.json") is None


def test_what_was_kept_is_read_again_and_damage_is_as_if_there_was_nothing(
    table: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "arrays"
    folder.mkdir()
    dataset = prepare_data(spec(table), None, folder)
    path = tmp_path / str(source_record(spec(table), None))
    keep_known(dataset, path)
    assert read_known(path) == known_of(dataset)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    for text in ("", "[]", "\0", "{"):
        path.write_text(text)
        assert read_known(path) is None
