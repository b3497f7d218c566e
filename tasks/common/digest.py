"""SHA-256 of arrays, weights, rows, files and settings. Needs no TensorFlow."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

BLOCK = 1 << 24  # bytes hashed at a time, so that a memory map is never copied whole


class _Hasher(Protocol):
    def update(self, data: memoryview, /) -> None: ...


def canonical_json(value: Any) -> str:
    """Write plain values as the one JSON text that equal values share."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest_json(value: Any) -> str:
    """Return the SHA-256 hex digest of a plain value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def digest_arrays(arrays: Iterable[NDArray[Any]]) -> str:
    """Return the SHA-256 over the little-endian C-order bytes of the arrays, in order.

    Only the bytes count, as the contract defines `weights_sha256`; see
    `digest_array` for a digest that also covers dtype and shape.
    """
    hasher = hashlib.sha256()
    for array in arrays:
        _update(hasher, array)
    return hasher.hexdigest()


def digest_array(array: NDArray[Any]) -> str:
    """Return the SHA-256 over an array's dtype, shape and little-endian C-order bytes."""
    return digest_blocks(array.dtype, array.shape, [array])


def digest_blocks(
    dtype: np.dtype[Any], shape: tuple[int, ...], blocks: Iterable[NDArray[Any]]
) -> str:
    """Return what `digest_array` does of an array that comes in blocks of its rows."""
    hasher = hashlib.sha256(f"{dtype.newbyteorder('<').str}{shape}".encode())
    for block in blocks:
        _update(hasher, block)
    return hasher.hexdigest()


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_text(text: str) -> str:
    """Return the SHA-256 of a text, whatever its line endings."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def _update(hasher: _Hasher, array: NDArray[Any]) -> None:
    little = array.astype(array.dtype.newbyteorder("<"), order="C", copy=False)
    flat = np.ascontiguousarray(little).reshape(-1).view(np.uint8)
    for start in range(0, flat.size, BLOCK):
        hasher.update(flat[start : start + BLOCK].data)
