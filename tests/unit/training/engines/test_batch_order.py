from itertools import islice

import numpy as np
import pytest

from foldproof.tasks.training.engines.batch_order import batch_slices, epoch_orders


def orders(count, *arguments):
    return list(islice(epoch_orders(*arguments), count))


def test_orders_are_numpys_permutations_in_sequence():
    generator = np.random.Generator(np.random.PCG64(7))
    for order in orders(4, 50, 7, True):
        np.testing.assert_array_equal(order, generator.permutation(50))


def test_every_epoch_has_another_order_of_all_rows():
    first, second = orders(2, 50, 7, True)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(np.sort(first), np.arange(50))
    np.testing.assert_array_equal(np.sort(second), np.arange(50))


def test_another_seed_gives_another_order():
    assert not np.array_equal(orders(1, 50, 7, True)[0], orders(1, 50, 8, True)[0])


def test_without_shuffling_the_rows_stay_as_they_are():
    for order in orders(3, 10, 7, False):
        np.testing.assert_array_equal(order, np.arange(10))


@pytest.mark.parametrize(("rows", "size"), [(10, 3), (9, 3), (2, 32), (1, 1)])
def test_batches_are_consecutive_and_only_the_last_is_short(rows, size):
    taken = [np.arange(rows)[part] for part in batch_slices(rows, size)]
    np.testing.assert_array_equal(np.concatenate(taken), np.arange(rows))
    assert all(len(part) == size for part in taken[:-1])
    assert 0 < len(taken[-1]) <= size
