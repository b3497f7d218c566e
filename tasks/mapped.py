"""Map an npy file without reading any of its data on the way."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
