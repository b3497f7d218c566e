"""A target of any shape a row: sequences, images, masks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError


def array_target(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return an array of targets as float32, (n, ...).

    Args:
        values: (n, ...), with more than one value a row.

    Raises:
        InputError: they are no numbers, not finite, or one a row.
    """
    if values.ndim < 2:
        problem = "array needs several values a row, but there is one"
        raise InputError("data.task", f"{problem}; use regression or leave it out")
    if values.dtype.kind not in "biuf":
        raise InputError("data.target", f"holds {values.dtype}; an array needs numbers")
    with np.errstate(over="ignore"):  # reported in words
        single = np.ascontiguousarray(values, dtype=np.float32)
    bad = int(np.sum(~np.isfinite(single)))
    if bad:
        problem = f"{bad} of {single.size} values are missing, or infinite as float32"
        raise InputError("data.target", f"{problem}; remove those rows")
    return single
