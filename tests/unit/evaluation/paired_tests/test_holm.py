"""Holm's adjustment, by its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldproof.tasks.evaluation.paired_tests.holm import adjust


def by_definition(p_values):
    """Return the largest step up to each, the slow way."""
    ordered = sorted(p_values)
    steps = [(len(ordered) - i) * p for i, p in enumerate(ordered)]
    return [min(1.0, max(steps[: ordered.index(p) + p_values.count(p)])) for p in p_values]


def test_a_worked_example():
    assert adjust([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_edges():
    assert adjust([]) == []
    assert adjust([0.3]) == [0.3]
    assert adjust([0.5, 0.6, 1.0]) == [1.0, 1.0, 1.0]


@given(st.lists(st.floats(0, 1), max_size=12))
def test_it_is_the_definition(p_values):
    found = adjust(p_values)
    assert all(a >= p for a, p in zip(found, p_values, strict=True))
    ranks = np.argsort(p_values, kind="stable")
    assert list(np.array(found)[ranks]) == sorted(found)
    if len(set(p_values)) == len(p_values):
        assert found == pytest.approx(by_definition(p_values))
