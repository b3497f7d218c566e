"""Features as a Keras model takes them: one dense float32 array without gaps."""

from typing import Any

import numpy as np

from foldproof.tasks.common.errors import InputError


def as_float32(features: Any) -> Any:
    """Return features of any kind as a C-ordered float32 array, (n, ...).

    Args:
        features: an array, a frame or a sparse matrix; a file of rows stays one.

    Raises:
        InputError: a column holds no numbers.
    """
    if hasattr(features, "blocks"):  # a file of rows, which are that as they are read
        return features
    if hasattr(features, "toarray"):
        features = features.toarray()
    if hasattr(features, "columns"):
        _refuse_others(features)
        features = features.to_numpy(dtype=np.float32, na_value=np.nan)
    if not isinstance(features, np.ndarray) or features.dtype.kind not in "biuf":
        kind = getattr(features, "dtype", type(features).__name__)
        problem = f"gives {kind}, but a Keras model takes numbers"
        raise InputError("data.preprocess", f"{problem}; encode the rest, or set it to auto")
    return np.ascontiguousarray(features, dtype=np.float32)


def _refuse_others(frame: Any) -> None:
    """Refuse a frame with columns that are no numbers, and name the first."""
    for name, kind in frame.dtypes.items():
        if getattr(kind, "kind", "O") not in "biuf":
            problem = f"leaves column {name!r} as {kind}, but a Keras model takes numbers"
            raise InputError("data.preprocess", f"{problem}; encode it, or set it to auto")
