"""Resample a fold's training rows, so that a rare class is seen as often as a common one.

After preprocessing and before class weights, on the rows that gradients come from only: those that
early stopping watches stay as they are, and so do the test rows.
"""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.named.preprocess import SAMPLERS, Step
from foldproof.tasks.training.error_text import is_exhausted
from foldproof.tasks.training.preprocessing.features import as_float32
from foldproof.tasks.training.seeding import seed_estimator, seed_everything
from foldproof.tasks.user_code.builder import short_error
from foldproof.tasks.user_code.named_parts import make_named
from foldproof.tasks.user_code.search_path import extend_path

SETTING = "train.sampler"
MODULES = ("over_sampling", "under_sampling", "combine")


def resampled(
    sampler: Step, features: Any, codes: NDArray[np.int64], seed: int, search: tuple[str, ...]
) -> tuple[Any, NDArray[np.int64]]:
    """Return resampled training rows.

    Args:
        sampler: a class with `fit_resample(X, y)`, by name.
        features: of the rows, numbers (n, ...), or a frame.
        codes: their label codes, (n,).
        seed: the fold's, for a `random_state` that is None.
        search: folders where modules are looked for first.

    Returns:
        Features float32 (m, ...) or a frame, and label codes int64 (m,).

    Raises:
        InputError: there is no such sampler, or it cannot do that.
    """
    extend_path(search)
    made = make_named(SETTING, sampler.name, sampler.params, SAMPLERS, MODULES)
    if not hasattr(made, "fit_resample"):
        raise InputError(SETTING, f"{sampler.name} has no fit_resample; give a sampler")
    seed_everything(seed, keras_loaded="keras" in sys.modules)
    if hasattr(made, "get_params"):
        seed_estimator(made, seed)
    is_frame = hasattr(features, "columns")  # such as categories, for SMOTENC
    rows = features if is_frame else as_float32(features)
    try:
        flat, drawn = made.fit_resample(rows if is_frame else rows.reshape(len(rows), -1), codes)
    except (Exception, SystemExit) as error:  # anybody's code: anything can come out
        if is_exhausted(error):
            raise
        problem = f"{sampler.name} fails on the training rows ({short_error(error)})"
        raise InputError(SETTING, problem) from error
    drawn = np.asarray(drawn)
    lost = np.setdiff1d(codes, drawn)
    if len(lost) or len(flat) != len(drawn):
        problem = f"{sampler.name} leaves no row of {len(lost)} classes"
        raise InputError(SETTING, f"{problem}; use another one, or let it keep every class")
    if is_frame:
        return flat, drawn.astype(np.int64)
    narrow = np.ascontiguousarray(flat, dtype=np.float32).reshape(-1, *rows.shape[1:])
    return narrow, drawn.astype(np.int64)
