"""The seeds are part of the contract: other programs may compute them for themselves."""

import itertools

import numpy as np
import pytest

from foldproof.tasks.folds.seeds import Role, fold_seed

PLACES = list(itertools.product(range(3), range(10), Role))


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("seed", [0, 1337, 2**31 - 1])
def test_seed_is_the_formula_of_the_contract(seed: int, role: Role) -> None:
    sequence = np.random.SeedSequence(seed, spawn_key=(2, 5, role.value))
    expected = int(sequence.generate_state(1)[0]) & 0x7FFFFFFF
    assert fold_seed(seed, 2, 5, role) == expected


def test_roles_have_fixed_numbers() -> None:
    assert (Role.MODEL, Role.BATCH_ORDER, Role.INNER_SPLIT) == (0, 1, 2)


def test_seeds_stay_what_they_were() -> None:
    """Numbers written down once: stored folds of older runs depend on them."""
    assert [fold_seed(1337, 0, 0, role) for role in Role][: len(FIRST)] == FIRST


def test_no_two_places_share_a_seed() -> None:
    seeds = {fold_seed(seed, *place) for seed in (1337, 1338) for place in PLACES}
    assert len(seeds) == 2 * len(PLACES)


def test_seeds_fit_every_library() -> None:
    for place in PLACES:
        seed = fold_seed(1, *place)
        assert type(seed) is int
        assert 0 <= seed < 2**31
        np.random.RandomState(seed)


FIRST = [2100468840, 720128718, 450397596, 359734350]
