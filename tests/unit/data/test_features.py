"""Features on disk: float32 in C order, every value checked."""

import errno
import os
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.data import npy
from foldproof.tasks.data.features import allocate_file, write_features


def refused(given: Any, folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        write_features(given, folder / "features.npy")
    return str(caught.value)


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16, np.int64, np.uint8, np.bool_])
def test_numbers_of_any_kind_become_float32(kind: Any, tmp_path: Path) -> None:
    given = np.arange(12).reshape(4, 3).astype(kind)
    written = write_features(given, tmp_path / "features.npy")
    assert written.dtype == np.float32
    assert written.flags.c_contiguous
    np.testing.assert_array_equal(written, given.astype(np.float32))


def test_written_file_is_what_is_returned_and_read_only(tmp_path: Path) -> None:
    written = write_features(np.ones((2, 3)), tmp_path / "features.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "features.npy"), written)
    assert isinstance(written, np.memmap)
    assert not written.flags.writeable


def test_table_columns_stand_in_their_order(tmp_path: Path) -> None:
    columns = {
        "z": [1, 2],
        "a": [0.5, 1e-3],
        "m": [True, False],
        "d": [Decimal("1.25"), Decimal("2.50")],
        "h": np.array([1, 2], dtype=np.float16),
    }
    written = write_features(pa.table(columns), tmp_path / "features.npy")
    expected = [[1, 0.5, 1, 1.25, 1], [2, 1e-3, 0, 2.5, 2]]
    np.testing.assert_array_equal(written, np.array(expected, dtype=np.float32))


@pytest.mark.parametrize("shape", [(5, 4), (5, 2, 2), (5, 3, 2, 1)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_shape_of_a_sample_is_kept(shape: Any, order: Any, tmp_path: Path) -> None:
    given = np.random.default_rng(0).normal(size=shape).copy(order=order)
    written = write_features(given, tmp_path / "features.npy")
    assert written.flags.c_contiguous
    np.testing.assert_array_equal(written, given.astype(np.float32))


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_blocks_make_no_difference(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npy, "BLOCK_VALUES", block)
    given = np.random.default_rng(1).normal(size=(11, 3))
    parts = pa.concat_tables(pa.table(list(given[rows].T), names=list("abc")) for rows in SLICES)
    for source, name in ((given, "array.npy"), (parts, "table.npy")):
        np.testing.assert_array_equal(
            write_features(source, tmp_path / name), given.astype(np.float32)
        )


SLICES = (slice(0, 2), slice(2, 9), slice(9, 11))


def test_gaps_are_counted_over_all_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npy, "BLOCK_VALUES", 2)
    table = pa.table({"ok": [1.0] * 5, "gaps": [None, 1.0, float("nan"), 2.0, None]})
    expected = "data.features: column 'gaps': 3 of 5 values are missing or NaN; drop the column or"
    assert refused(table, tmp_path).startswith(expected)
    infinite = pa.table({"ok": [1.0] * 5, "far": [1e39, 1.0, float("inf"), 2.0, -1e39]})
    expected = "data.features: column 'far': 3 of 5 values are infinite as float32"
    assert refused(infinite, tmp_path).startswith(expected)


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (
            {"a": [1.0, None], "b": [None, 2.0]},
            "column 'a': 1 of 2 values are missing or NaN (1 more",
        ),
        (
            {"a": [1.0, 2.0], "b": [float("inf"), -float("inf")]},
            "column 'b': 2 of 2 values are inf",
        ),
        ({"a": [1.0, 1e39]}, "column 'a': 1 of 2 values are infinite as float32; drop"),
        ({"a": pa.nulls(2)}, "column 'a': 2 of 2 values are missing or NaN"),
        ({"a": [True, None]}, "column 'a': 1 of 2 values are missing or NaN"),
    ],
)
def test_unusable_columns_are_named(columns: Any, problem: str, tmp_path: Path) -> None:
    assert refused(pa.table(columns), tmp_path).startswith(f"data.features: {problem}")


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            np.array([[1, np.nan], [2, 3]]),
            "data.features: column 1: 1 of 2 values are missing or NaN",
        ),
        (np.array([[1, np.inf], [2, 3]]), "data.features: column 1: 1 of 2 values are infinite"),
        (np.array([["a"], ["b"]]), "X: holds <U1; features must be numbers"),
        (np.array([[1j]]), "X: holds complex128; features must be numbers"),
        (np.array([["2020-01-01"]], dtype="M8[D]"), "X: holds datetime64[D]; features must be"),
    ],
)
def test_unusable_arrays_are_refused(given: Any, problem: str, tmp_path: Path) -> None:
    assert refused(given, tmp_path).startswith(problem)


def test_place_in_a_sample_is_told(tmp_path: Path) -> None:
    images = np.zeros((3, 4, 5))
    images[2, 1, 3] = np.nan
    assert "column (1, 3): 1 of 3 values" in refused(images, tmp_path)


def test_a_file_that_the_disk_has_no_room_for_is_refused_without_fallocate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "posix_fallocate")  # as on macOS
    path = tmp_path / "sparse"
    path.write_bytes(b"1")
    allocate_file(path)
    os.truncate(path, shutil.disk_usage(tmp_path).free + 2**30)
    with pytest.raises(OSError, match="sparse") as caught:
        allocate_file(path)
    assert caught.value.errno == errno.ENOSPC
