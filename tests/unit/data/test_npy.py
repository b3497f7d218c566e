"""npy files by blocks of rows: mapped anew for each, so that no block stays in memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foldproof.tasks.data import npy
from foldproof.tasks.data.npy import row_blocks


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(7,), (7, 3), (7, 2, 2)])
def test_blocks_are_the_rows_in_their_order(
    shape: Any, order: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npy, "BLOCK_VALUES", 6)
    given = np.random.default_rng(0).normal(size=shape).copy(order=order)
    np.save(tmp_path / "a.npy", given)
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    for array in (given, mapped, mapped[:]):
        blocks = list(row_blocks(array))
        assert len(blocks) > 1
        np.testing.assert_array_equal(np.concatenate([rows for _, rows in blocks]), given)
        assert [start for start, _ in blocks] == list(range(0, 7, len(blocks[0][1])))
    part = list(row_blocks(mapped[2:5]))
    np.testing.assert_array_equal(np.concatenate([rows for _, rows in part]), given[2:5])


def test_a_map_does_not_keep_what_blocks_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((4, 2)))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    ((_, rows),) = row_blocks(mapped)
    assert not np.shares_memory(rows, mapped)


def test_changes_to_a_private_map_are_seen(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    private = np.load(tmp_path / "a.npy", mmap_mode="c")
    private[1] = 5
    assert [rows.tolist() for _, rows in row_blocks(private)] == [[0, 5, 0]]
