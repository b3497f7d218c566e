"""One independent seed for each (repeat, fold, role)."""

from enum import IntEnum

import numpy as np


class Role(IntEnum):
    """The purpose of a seed; its number is part of the seed's definition."""

    MODEL = 0
    BATCH_ORDER = 1
    INNER_SPLIT = 2
    PREPROCESSING = 3
    BOOTSTRAP = 4


def fold_seed(seed: int, repeat: int, fold: int, role: Role) -> int:
    """Return the 31-bit seed of one role in one fold.

    The seeds are spawned, not added, so that no two folds of any two runs overlap;
    31 bits, because Keras, NumPy and scikit-learn all take them.
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(repeat, fold, int(role)))
    return int(sequence.generate_state(1)[0]) & 0x7FFFFFFF
