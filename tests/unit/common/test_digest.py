"""Digests: what counts, what does not, and that they are plain SHA-256."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from foldproof.tasks.common import digest
from foldproof.tasks.common.digest import (
    canonical_json,
    digest_array,
    digest_arrays,
    digest_blocks,
    digest_file,
    digest_json,
    digest_text,
)

SOME = np.arange(24, dtype=np.float32).reshape(4, 6)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_arrays_are_hashed_as_their_bytes_in_order() -> None:
    other = np.array([1, 2], dtype=np.int64)
    assert digest_arrays([SOME, other]) == sha256(SOME.tobytes() + other.tobytes())
    assert digest_arrays([other, SOME]) != digest_arrays([SOME, other])
    assert digest_arrays([]) == sha256(b"")


@pytest.mark.parametrize(
    "same",
    [
        np.asfortranarray(SOME),
        SOME.astype(">f4"),
        np.repeat(SOME, 2, axis=1)[:, ::2],
        SOME[::-1][::-1],
    ],
    ids=["fortran", "big endian", "strided", "reversed twice"],
)
def test_memory_layout_does_not_count(same: Any) -> None:
    assert digest_array(same) == digest_array(SOME)
    assert digest_arrays([same]) == digest_arrays([SOME])


@pytest.mark.parametrize(
    "other",
    [
        SOME.reshape(6, 4),
        SOME.view(np.int32),
        SOME.reshape(-1),
        np.nextafter(SOME, np.float32(np.inf)),
    ],
    ids=["shape", "dtype", "flat", "last bit"],
)
def test_shape_dtype_and_every_bit_count(other: Any) -> None:
    assert digest_array(other) != digest_array(SOME)


def test_signs_of_zero_and_nan_are_bits_too() -> None:
    assert digest_array(np.array([0.0])) != digest_array(np.array([-0.0]))
    assert digest_array(np.array([np.nan])) != digest_array(np.array([-np.nan]))


@pytest.mark.parametrize("block", [1, 7, 96])
def test_blocks_do_not_count(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = digest_array(SOME)
    monkeypatch.setattr(digest, "BLOCK", block)
    assert digest_array(SOME) == whole


@pytest.mark.parametrize("rows", [1, 3, 10])
def test_an_array_that_comes_in_blocks_has_its_digest(rows: int) -> None:
    array = np.arange(20.0).reshape(10, 2)
    blocks = (array[start : start + rows] for start in range(0, 10, rows))
    assert digest_blocks(array.dtype, array.shape, blocks) == digest_array(array)


def test_memory_map_has_the_digest_of_its_array(tmp_path: Path) -> None:
    np.save(tmp_path / "some.npy", SOME)
    assert digest_array(np.load(tmp_path / "some.npy", mmap_mode="r")) == digest_array(SOME)


@pytest.mark.parametrize(
    "array",
    [np.zeros((0, 3)), np.array(5), np.array(["a", "bc"]), np.array([True, False])],
    ids=["empty", "scalar", "text", "booleans"],
)
def test_any_plain_array_has_a_digest(array: Any) -> None:
    assert len(digest_array(array)) == 64


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]),
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=4),
    )
)
@settings(deadline=None, max_examples=50)
def test_copies_share_a_digest(array: Any) -> None:
    assert digest_array(array.copy(order="F")) == digest_array(array)


def test_canonical_json_is_one_text_for_equal_values() -> None:
    assert (
        canonical_json({"b": [1, 2.5, None, True], "a": "é"}) == '{"a":"é","b":[1,2.5,null,true]}'
    )
    assert canonical_json({"a": 1, "b": 2}) == canonical_json({"b": 2, "a": 1})
    assert canonical_json((1, 2)) == canonical_json([1, 2])


def test_digest_of_json_is_that_of_its_utf8_text() -> None:
    assert digest_json({"a": "é"}) == sha256('{"a":"é"}'.encode())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
def test_what_json_cannot_say_has_no_canonical_text(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical_json(value)


def test_line_endings_do_not_count_in_a_text() -> None:
    assert digest_text("a\r\nb\n") == digest_text("a\nb\n") == sha256(b"a\nb\n")
    assert digest_text("a\nb") != digest_text("a\nb\n")


def test_file_is_hashed_as_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\r\nb")
    assert digest_file(tmp_path / "file") == sha256(b"a\r\nb")
