"""The features of several inputs side by side, looked at as those of one are."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from foldproof.tasks.common.inputs import Shape
from foldproof.tasks.data.stored_features import FEATURES
from foldproof.tasks.data.stored_inputs import INPUTS
from foldproof.tasks.data.tables.frames import FRAME

MAX_VALUES = 1 << 26  # of all inputs, which are copied


def joined(folder: Path, shapes: dict[str, Shape], rows: int) -> NDArray[Any] | pa.Table | None:
    """Return the features of all inputs: an array (n, p), or a table if one of them is a table.

    Args:
        folder: of the data.
        shapes: of a sample, by input.
        rows: n.

    Returns:
        None where there are too many values.
    """
    if rows * sum(int(np.prod(shape)) for shape in shapes.values()) > MAX_VALUES:
        return None
    parts = {name: _read(folder / INPUTS / name) for name in shapes}
    if not any(isinstance(part, pa.Table) for part in parts.values()):
        return np.hstack([part.reshape(rows, -1) for part in parts.values()])
    columns = {
        f"{name}.{column}": values
        for name, part in parts.items()
        for column, values in _columns(part, rows)
    }
    return pa.table(columns)


def _read(folder: Path) -> Any:
    path = folder / FRAME
    if path.exists():
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    return np.load(folder / FEATURES, mmap_mode="r")


def _columns(part: Any, rows: int) -> list[tuple[str, Any]]:
    if isinstance(part, pa.Table):
        return list(zip(part.column_names, part.columns, strict=True))
    return [(str(place), pa.array(each)) for place, each in enumerate(part.reshape(rows, -1).T)]
