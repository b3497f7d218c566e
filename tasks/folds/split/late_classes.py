"""What to do about a class that folds in the order of time do not all train on."""

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.split import SplitSpec
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.folds.split.time_splits import time_series

MAX_TRIES = 200  # numbers of folds that are tried out


def late_class_hint(
    dataset: Dataset, spec: SplitSpec, method: str, code: int, train: NDArray[np.int64]
) -> str:
    """Return where a class begins, and what would make every fold train on it.

    Strata are no remedy: they would put later rows into the training.

    Args:
        dataset: the samples.
        spec: the settings of the split.
        method: the split method.
        code: of the class that is missing.
        train: the training rows without it.
    """
    first = int(np.argmax(dataset.codes() == code))
    ordered = " in the order of time" if dataset.settings.time is not None else ""
    begins = f"it begins in row {first} of {dataset.rows}{ordered}"
    if first < train[0] and spec.window != "expanding":
        return f"{begins}, before the window; set split.window to expanding, or to more"
    if method != "time_series":
        return f"{begins}; let the first fold test later rows, or leave the class out"
    fewer = range(spec.n_splits - 1, 1, -1)[:MAX_TRIES]
    fits = next((n for n in fewer if _trains_on_all(dataset, spec, n)), None)
    if fits is None:
        return f"{begins}; leave the class out, or join it with another"
    return f"{begins}; set split.n_splits to {fits} or fewer"


def _trains_on_all(dataset: Dataset, spec: SplitSpec, n_splits: int) -> bool:
    """Return whether every fold of a time series would train on every class."""
    codes, classes = dataset.codes(), len(dataset.labels)
    try:
        return all(
            len(np.unique(codes[train])) == classes
            for train, _ in time_series(dataset, spec.model_copy(update={"n_splits": n_splits}))
        )
    except InputError:
        return False
