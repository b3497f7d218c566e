"""Sample weights of the training rows: class weights times the user's sample weights."""

import numpy as np
from numpy.typing import NDArray

from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.data.labels import weights_of
from foldproof.tasks.data.target import Label

Weights = NDArray[np.float32]


def sample_weights(
    train: TrainSpec, labels: tuple[Label, ...], codes: NDArray[np.int64], own: Weights | None
) -> Weights | None:
    """Return the weight of each training row, float32 (n,), or None where none is set.

    `balanced` is n / (k * count), as scikit-learn defines it, over these rows.

    Args:
        train: the training settings.
        labels: the classes, sorted.
        codes: the rows' positions in the labels.
        own: the rows' own weights.
    """
    if train.class_weight is None:
        return own
    if train.class_weight == "balanced":
        counts = np.bincount(codes, minlength=len(labels))
        per_class = len(codes) / (len(labels) * np.maximum(counts, 1))
    else:
        by_label = weights_of(train.class_weight, labels)
        per_class = np.array([by_label[label] for label in labels])
    weights = per_class.astype(np.float32)[codes]
    return weights if own is None else weights * own
