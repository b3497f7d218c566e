"""A metric of the user's for arrays, imported by name."""

import numpy as np


def rows_all_right(y_true, y_pred):
    """The share of masks in which every element is right; it needs the masks whole."""
    return np.mean(((y_pred >= 0.5) == (y_true > 0.5)).all(axis=(1, 2)))
