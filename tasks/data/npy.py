"""Memory-map npy files without reading their data, and copy single rows out of them."""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

ALIGNMENT_BYTES = 64  # bytes
BLOCK_VALUES = 1 << 22  # values looked at at a time: 16 MiB of float32


def map_array(path: Path) -> NDArray[Any]:
    """Return the array of an npy file, memory-mapped and read-only.

    `numpy.load` reads the header through a buffer, and so takes the first rows into the
    process's memory, where they stay after the map is gone; this reads the header alone.
    """
    with path.open("rb", buffering=0) as file:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            header = np.lib.format.read_array_header_2_0
        shape, _, dtype = header(file)
        offset = file.tell()
    mapped: NDArray[Any] = np.memmap(path, dtype, mode="r", offset=offset, shape=shape)
    return mapped


def take_rows(path: Path, rows: NDArray[np.int64]) -> NDArray[Any]:
    """Copy rows out of an npy file, once; the map is gone when this returns.

    Returns:
        (len(rows), ...), in C order, placed so that TensorFlow can use it as it is.
    """
    mapped = map_array(path)
    taken = empty_aligned((len(rows), *mapped.shape[1:]), mapped.dtype)
    np.take(mapped, rows, axis=0, out=taken, mode="clip")  # "raise" would copy once more
    return taken


def row_blocks(array: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield blocks of an array's rows with the position of their first one.

    A file that is mapped is mapped anew for each: of a map, all that was read through it stays
    in the process's memory.
    """
    step = max(1, BLOCK_VALUES // max(1, int(np.prod(array.shape[1:]))))
    for start in range(0, len(array), step):
        yield start, _mapped_anew(array)[start : start + step]


def _mapped_anew(array: NDArray[Any]) -> NDArray[Any]:
    if not isinstance(array, np.memmap) or array.mode == "c" or not _is_whole(array):
        return array
    order: Literal["C", "F"] = "C" if array.flags.c_contiguous else "F"
    kind, start = array.dtype, array.offset
    return np.memmap(str(array.filename), kind, "r", start, array.shape, order)


def _is_whole(array: np.memmap[Any, Any]) -> bool:
    """Return whether it is a map itself, and no part of one."""
    return isinstance(array.base, mmap.mmap) and array.filename is not None


def empty_aligned(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return an array of undefined content that starts where TensorFlow wants tensors to."""
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    memory = np.empty(size + ALIGNMENT_BYTES, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT_BYTES
    array: NDArray[Any] = memory[start : start + size].view(dtype).reshape(shape)
    return array
