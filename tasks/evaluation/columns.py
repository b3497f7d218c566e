"""Build a table part by part, with at most one column in memory twice."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


class Columns:
    """A table builder: columns grow part by part and end as one chunk each."""

    def __init__(self, schema: pa.Schema) -> None:
        """Begin with no rows."""
        self._schema = schema
        self._parts: dict[str, list[pa.Array]] = {name: [] for name in schema.names}

    def add(self, rows: int, **columns: Any) -> None:
        """Append rows; a single value is repeated for all of them."""
        for name, values in columns.items():
            kind = self._schema.field(name).type
            if isinstance(values, pa.Array):
                part = values
            elif np.ndim(values) == 0:
                part = pa.repeat(pa.scalar(values, kind), rows)
            else:
                part = pa.array(values, kind, from_pandas=True)
            self._parts[name].append(part)

    def table(self) -> pa.Table:
        """Join the parts into a table, and free those of each column as soon as it is done."""
        arrays = [self._joined(name) for name in self._schema.names]
        return pa.Table.from_arrays(arrays, schema=self._schema)

    def _joined(self, name: str) -> pa.Array:
        parts = self._parts.pop(name)
        return pa.concat_arrays(parts) if parts else pa.array([], self._schema.field(name).type)


def as_lists(values: NDArray[Any]) -> pa.Array:
    """Return an array (n, ...) as n lists of float32, all of one length."""
    flat = np.ascontiguousarray(values, dtype=np.float32).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), values[0].size)


def elements(column: pa.ChunkedArray, rows: int) -> NDArray[np.float32]:
    """Return such a column as an array, float32 (n, length)."""
    whole = column.combine_chunks()
    return np.asarray(whole.flatten().to_numpy(), np.float32).reshape(rows, -1)
