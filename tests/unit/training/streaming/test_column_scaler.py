"""Scalers that are fitted on blocks of columns: the bits of the whole `fit`."""

import itertools
from typing import Any

import numpy as np
import pytest

from foldproof.tasks.training.preprocessing.scaler import Scaler
from foldproof.tasks.training.streaming.column_scaler import column_blocks, fit_by_columns

# NumPy adds up in other orders for other shapes and layouts: short and long, narrow and wide,
# and at the edges of its buffers of 8192 values.
SHAPES = [(1, 3), (2, 2), (9, 1), (7, 5), (8, 16), (127, 9), (1000, 17), (8193, 4), (3, 8193)]
LARGE = [(60_000, 7), (5000, 150)]


@pytest.mark.parametrize("name", ["standard", "minmax", "robust"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_blocks_give_the_bits_of_the_whole_fit(name: str, kind: Any) -> None:
    random = np.random.default_rng(1)
    for rows, width in [*SHAPES, *(LARGE if name != "robust" else [])]:
        scale, shift = 10 ** random.uniform(-3, 5, (2, width))
        values = (random.standard_normal((rows, width)) * scale + shift).astype(kind)
        whole = Scaler(name).fit(values).transform(values)
        if name == "robust" and width > 1000:
            continue  # it takes a minute to sort so many columns
        for columns in (1, 2, 3, 64, width):
            if width / columns > 500:
                continue
            blocks = (values[start : start + 1000] for start in range(0, rows, 1000))
            size = (rows, width, values.dtype)
            found = fit_by_columns(name, blocks, *size, columns).transform(values)
            assert found.tobytes() == whole.tobytes(), (rows, width, columns)


def test_samples_of_several_axes_keep_their_shape() -> None:
    values = np.random.default_rng(2).normal(size=(20, 3, 5)).astype(np.float32)
    fitted = fit_by_columns("standard", iter([values[:9], values[9:]]), 20, 15, values.dtype, 4)
    expected = Scaler("standard").fit(values).transform(values)
    assert fitted.transform(values).tobytes() == expected.tobytes()
    assert fitted.outcome == ()


def test_a_row_is_scaled_the_same_alone() -> None:
    values = np.random.default_rng(3).normal(size=(64, 11)).astype(np.float32)
    fitted = fit_by_columns("standard", iter([values]), 64, 11, values.dtype, 4)
    whole = fitted.transform(values)
    for rows in (slice(5, 6), slice(7, 20)):
        assert fitted.transform(values[rows]).tobytes() == whole[rows].tobytes()


def test_no_block_is_a_single_column_unless_there_is_one() -> None:
    for width, columns in itertools.product(range(1, 20), range(8)):
        blocks = column_blocks(width, columns)
        covered = [place for block in blocks for place in range(block.start, block.stop)]
        assert covered == list(range(width))
        sizes = [block.stop - block.start for block in blocks]
        assert width == 1 or min(sizes) > 1
        assert max(sizes) <= max(columns, 2) + 1
