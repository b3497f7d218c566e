"""Scalers are scikit-learn's with their defaults, fitted on what they are shown first."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import preprocessing

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.training.preprocessing.scaler import Scaler, make_scaler

RANDOM = np.random.default_rng(0)
TRAIN = RANDOM.normal(5, 3, (40, 6)).astype(np.float32)
TEST = RANDOM.normal(9, 1, (10, 6)).astype(np.float32)
PAIRS = [
    ("standard", preprocessing.StandardScaler),
    ("minmax", preprocessing.MinMaxScaler),
    ("robust", preprocessing.RobustScaler),
    ("sklearn.preprocessing:MaxAbsScaler", preprocessing.MaxAbsScaler),
]


@pytest.mark.parametrize(("name", "reference"), PAIRS)
def test_scaled_rows_are_those_of_scikit_learn(name: str, reference: Any) -> None:
    scaler, expected = Scaler(name).fit(TRAIN), reference().fit(TRAIN)
    for rows in (TRAIN, TEST):
        np.testing.assert_array_equal(
            scaler.transform(rows), expected.transform(rows).astype(np.float32)
        )


@pytest.mark.parametrize("name", [name for name, _ in PAIRS])
def test_images_are_scaled_as_if_flattened(name: str) -> None:
    images = TRAIN.reshape(40, 3, 2, 1)
    scaled = Scaler(name).fit(images).transform(images)
    assert scaled.shape == images.shape
    np.testing.assert_array_equal(scaled.reshape(40, 6), Scaler(name).fit(TRAIN).transform(TRAIN))


@pytest.mark.parametrize("name", ["none", "standard", "robust"])
def test_result_is_float32_in_c_order_and_the_input_untouched(name: str) -> None:
    rows = np.asfortranarray(TEST)
    before = rows.copy()
    scaled = Scaler(name).fit(TRAIN).transform(rows)
    assert scaled.dtype == np.float32
    assert scaled.flags.c_contiguous
    np.testing.assert_array_equal(rows, before)


def test_none_changes_nothing() -> None:
    np.testing.assert_array_equal(Scaler("none").fit(TRAIN).transform(TEST), TEST)


def test_test_rows_never_teach_the_scaler() -> None:
    scaled = Scaler("standard").fit(TRAIN).transform(TEST)
    assert abs(scaled.mean()) > 0.5  # it would be 0, had it seen them


def test_own_scaler_is_found_in_the_working_directory(here: Path) -> None:
    source = (
        "class Half:\n    def fit(self, X): return self\n    def transform(self, X): return X / 2\n"
    )
    (here / "own_scaler.py").write_text(source)
    np.testing.assert_array_equal(Scaler("own_scaler:Half").fit(TRAIN).transform(TEST), TEST / 2)


@pytest.mark.parametrize("name", ["standard", "sklearn.preprocessing:MaxAbsScaler"])
def test_every_scaler_is_a_fresh_one(name: str) -> None:
    assert make_scaler(name) is not make_scaler(name)


@pytest.mark.parametrize("name", ["no_such_module:Scaler", "math:Scaler", "math:pi"])
def test_what_cannot_be_imported_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"^train\.scaler: "):
        make_scaler(name)
