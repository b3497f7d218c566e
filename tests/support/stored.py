"""A finished fold to store."""

from dataclasses import replace
from typing import Any

import numpy as np

from foldproof.tasks.common.digest import digest_arrays
from foldproof.tasks.folds.initial_state import InitialState
from foldproof.tasks.folds.result import Execution, FinishedFold, now

KEY = "a1" * 32


def finished(dtype: Any = np.float32, outputs: int = 1, **changes: Any) -> FinishedFold:
    """Return a fold whose raw output is random, and some things as given."""
    raw = np.random.default_rng(0).random((7, outputs)).astype(dtype)
    fold = FinishedFold(
        key=KEY,
        rows=np.arange(3, 10),
        raw=raw,
        activation="sigmoid",
        history=((1, "loss", 0.7), (1, "val_loss", np.float64(0.1) + 0.2), (2, "loss", 1e-300)),
        epochs_run=2,
        best_epoch=1,
        initial="b" * 64,
        weights="c" * 64,
        predictions=digest_arrays([raw]),
        start=InitialState(0, True),
        execution=Execution(2, "cpu:1", now(), 0.1, 0.2, 0.3, 512.5),
    )
    return replace(fold, **changes)
