"""Class weights are scikit-learn's, over the fold's own training rows."""

from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.train import TrainSpec
from foldproof.tasks.data.class_weights import check_class_weight
from foldproof.tasks.training.sample_weights import sample_weights

LABELS = ("a", "b", "c")
CODES = np.array([0, 0, 0, 0, 1, 1, 2, 0], dtype=np.int64)
OWN = np.linspace(0.5, 2, len(CODES), dtype=np.float32)


def train(class_weight: Any) -> TrainSpec:
    return TrainSpec(class_weight=class_weight)


def test_nothing_set_means_no_weights() -> None:
    assert sample_weights(train(None), LABELS, CODES, None) is None


def test_own_weights_pass_as_they_are() -> None:
    assert sample_weights(train(None), LABELS, CODES, OWN) is OWN


def test_balanced_is_that_of_scikit_learn() -> None:
    expected = compute_sample_weight("balanced", CODES).astype(np.float32)
    found = sample_weights(train("balanced"), LABELS, CODES, None)
    assert found is not None
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_balanced_counts_these_rows_only() -> None:
    some = CODES[3:]
    per_class = compute_class_weight("balanced", classes=np.arange(3), y=some)
    found = sample_weights(train("balanced"), LABELS, some, None)
    np.testing.assert_array_equal(found, per_class.astype(np.float32)[some])


def test_weights_by_label_go_to_their_rows() -> None:
    given = {"b": 5, "c": 0.1, "a": 0}
    found = sample_weights(train(given), LABELS, CODES, None)
    expected = np.array([0, 0, 0, 0, 5, 5, 0.1, 0], dtype=np.float32)
    np.testing.assert_array_equal(found, expected)


def test_integer_labels_are_named_by_their_text() -> None:
    found = sample_weights(train({0: 1, 1: 3}), (0, 1), np.array([1, 0]), None)
    np.testing.assert_array_equal(found, [3, 1])


def test_class_and_own_weights_are_multiplied_in_float32() -> None:
    found = sample_weights(train("balanced"), LABELS, CODES, OWN)
    balanced = sample_weights(train("balanced"), LABELS, CODES, None)
    assert found is not None
    assert balanced is not None
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, balanced * OWN)


@pytest.mark.parametrize("given", [None, "balanced", {"a": 1, "b": 2, "c": 3}])
def test_fitting_class_weights_pass(given: Any) -> None:
    check_class_weight(train(given), LABELS)


def test_regression_without_class_weights_passes() -> None:
    check_class_weight(train(None), ())


@pytest.mark.parametrize(
    ("given", "labels", "problem"),
    [
        ("balanced", (), "a regression has no classes; leave it out"),
        ({"a": 1, "b": 2}, LABELS, "label 'c' has no weight; give it one"),
        ({"a": 1, "b": 2, "d": 3}, LABELS, "no label 'd'; use a, b, c"),
    ],
)
def test_class_weights_that_do_not_fit_are_refused(given: Any, labels: Any, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        check_class_weight(train(given), labels)
    assert (caught.value.field, caught.value.problem) == ("train.class_weight", problem)
