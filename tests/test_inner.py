"""The inner split of early stopping is scikit-learn's, by the rule of the outer one."""

from typing import Any

import numpy as np
import pytest
from sklearn import model_selection

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import DataSpec
from foldproof.tasks.folds.holdout import inner_rule, inner_split
from tests.conftest import Prepare

RANDOM = np.random.default_rng(3)
CODES = RANDOM.integers(0, 3, 50)
GROUPS = RANDOM.integers(0, 12, 50)
REFERENCES = [
    ("stratified", model_selection.StratifiedShuffleSplit),
    ("plain", model_selection.ShuffleSplit),
    ("groups", model_selection.GroupShuffleSplit),
]


@pytest.mark.parametrize(("rule", "reference"), REFERENCES)
@pytest.mark.parametrize("fraction", [0.2, 0.35])
def test_rows_are_those_of_scikit_learn(rule: str, reference: Any, fraction: float) -> None:
    splitter = reference(n_splits=1, test_size=fraction, random_state=11)
    groups = GROUPS if rule == "groups" else None
    train, held = next(splitter.split(np.zeros((50, 1)), CODES, groups))
    found = inner_split(rule, fraction, 11, CODES, groups)
    np.testing.assert_array_equal(found[0], np.sort(train))
    np.testing.assert_array_equal(found[1], np.sort(held))


@pytest.mark.parametrize("rule", ["stratified", "plain", "groups", "last"])
def test_sides_part_the_rows_in_ascending_order(rule: str) -> None:
    train, held = inner_split(rule, 0.3, 5, CODES, GROUPS)
    assert sorted([*train, *held]) == list(range(50))
    assert list(train) == sorted(train)
    assert list(held) == sorted(held)


def test_groups_stay_whole() -> None:
    train, held = inner_split("groups", 0.3, 5, CODES, GROUPS)
    assert not set(GROUPS[train]) & set(GROUPS[held])


@pytest.mark.parametrize(("rows", "fraction", "held"), [(10, 0.2, 2), (11, 0.2, 3), (3, 0.1, 1)])
def test_last_holds_out_the_end_rounded_up(rows: int, fraction: float, held: int) -> None:
    train, last = inner_split("last", fraction, 0, np.zeros(rows), None)
    assert list(last) == list(range(rows - held, rows))
    assert list(train) == list(range(rows - held))


def test_seed_counts_but_only_where_rows_are_drawn() -> None:
    for rule in ("stratified", "plain", "groups"):
        one, other = (inner_split(rule, 0.3, seed, CODES, GROUPS)[1] for seed in (1, 2))
        assert list(one) != list(other)
    one, other = (inner_split("last", 0.3, seed, CODES, None)[1] for seed in (1, 2))
    assert list(one) == list(other)


@pytest.mark.parametrize(
    ("rule", "codes", "groups"),
    [
        ("stratified", np.array([0, 0, 0, 1]), None),
        ("groups", np.zeros(5), np.zeros(5)),
        ("plain", np.zeros(1), None),
        ("last", np.zeros(1), None),
    ],
)
def test_rows_that_cannot_be_divided_are_refused(rule: str, codes: Any, groups: Any) -> None:
    with pytest.raises(InputError, match=r"^train\.early_stopping\.fraction: ") as caught:
        inner_split(rule, 0.2, 0, codes, groups)
    assert "\n" not in str(caught.value)


def test_rule_keeps_what_the_outer_method_promises(prepare: Prepare) -> None:
    X, y, groups = np.zeros((4, 1)), ["a", "b"] * 2, [1, 2, 3, 4]
    classes = prepare(DataSpec.from_arrays(X, y))
    numbers = prepare(DataSpec.from_arrays(X, [0.5, 1, 2, 3]))
    grouped = prepare(DataSpec.from_arrays(X, y, groups=groups))
    assert inner_rule(classes, "stratified_kfold") == "stratified"
    assert inner_rule(classes, "kfold") == "stratified"
    assert inner_rule(numbers, "kfold") == "plain"
    assert inner_rule(grouped, "group_kfold") == "groups"
    assert inner_rule(grouped, "predefined") == "groups"
    assert inner_rule(numbers, "time_series") == inner_rule(classes, "time_series") == "last"
