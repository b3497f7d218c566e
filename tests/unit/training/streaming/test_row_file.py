"""Files of rows: what is asked for comes in the order that it is asked for in."""

from typing import Any

import numpy as np
import pytest

from foldproof.tasks.training.streaming import row_file
from foldproof.tasks.training.streaming.row_file import RowFile, read_at

ROWS = 50


def filled(shape: tuple[int, ...]) -> tuple[RowFile, Any]:
    values = np.random.default_rng(0).normal(size=(ROWS, *shape)).astype(np.float32)
    file = RowFile(shape)
    for start in range(0, ROWS, 7):
        file.append(values[start : start + 7])
    return file.finish(), values


@pytest.mark.parametrize("shape", [(3,), (4, 2), (1,)])
def test_rows_are_those_of_an_array(shape: tuple[int, ...]) -> None:
    file, values = filled(shape)
    order = np.random.default_rng(1).permutation(ROWS)
    asked: list[Any] = [order, order[:5], np.array([3, 3, 1]), np.array([], np.int64), slice(4, 9)]
    for rows in [*asked, slice(None), slice(45, 99), slice(-2, None), np.array([49])]:
        found = file[rows]
        assert found.dtype == file.dtype == np.float32
        np.testing.assert_array_equal(found, values[rows])
    assert (len(file), file.shape, file.nbytes) == (ROWS, values.shape, values.nbytes)


def test_blocks_are_all_rows_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_file, "BLOCK_VALUES", 32)
    file, values = filled((4, 2))
    blocks = list(file.blocks())
    assert [len(block) for block in blocks] == [4] * 12 + [2]
    np.testing.assert_array_equal(np.concatenate(blocks), values)


def test_a_file_that_lost_its_end_is_not_waited_for() -> None:
    file, _ = filled((3,))
    with pytest.raises(OSError, match="ended early"):
        read_at(file._file, np.empty(4, np.float32), ROWS * 3 - 2)
