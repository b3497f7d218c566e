"""Counts of events: whole numbers from 0 up."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError


def count_target(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return counts as float64, (n,).

    Args:
        values: text, int64 or float64 without gaps, (n,).

    Raises:
        InputError: they are no counts.
    """
    if values.dtype.kind not in "if":
        raise InputError("data.task", "count needs numbers, but the target is text; leave it out")
    for told, bad in (("negative", values < 0), ("no whole numbers", values != np.floor(values))):
        if bad.any():
            problem = f"{int(bad.sum())} of {len(values)} values are {told}, such as"
            raise InputError(
                "data.target", f"{problem} {values[bad][0]:g}; counts go 0, 1, 2; use regression"
            )
    if not values.any():
        raise InputError("data.target", "all counts are 0; there is nothing to learn")
    return values.astype(np.float64)
