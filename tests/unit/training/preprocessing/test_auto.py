"""Automatic preprocessing learns from training rows only, whatever stands in the columns."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import OneHotEncoder

from foldproof.tasks.training.preprocessing.auto import fit_auto
from foldproof.tasks.training.preprocessing.letters import MAX_NUMBERS, Letters

ROWS = 60
RANDOM = np.random.default_rng(2)
NUMBER = RANDOM.normal(size=ROWS)


def fitted(**columns):
    frame = pd.DataFrame({"number": NUMBER, **columns})
    auto, features = fit_auto(frame, "standard", 7)
    return auto, frame, features


def outcome(auto, name):
    return next(column for column in auto.outcome if column.column == name)


def test_other_rows_have_the_same_features_as_in_training():
    auto, frame, features = fitted(
        gaps=np.where(np.arange(ROWS) % 7, NUMBER, np.nan),
        word=RANDOM.choice(["a", "b"], ROWS),
        note=[f"{RANDOM.choice(['cough', 'fever'])} {i}" for i in range(ROWS)],
        day=pd.date_range("2024-01-01", periods=ROWS, freq="31h"),
        clock=pd.to_timedelta(RANDOM.integers(0, 86400, ROWS), unit="s"),
    )
    assert features.dtype == np.float32
    assert np.array_equal(auto.transform(frame.iloc[::-1]), features[::-1])
    assert sum(column.outputs for column in auto.outcome) == features.shape[1]


def test_a_value_that_training_does_not_have_is_a_rare_one():
    word = np.array(["a"] * 40 + ["b"] * 17 + ["c"] * 3)
    auto, frame, features = fitted(word=word)
    assert outcome(auto, "word").step == "one column a value; rare ones (1) share one"
    new = frame.iloc[:2].assign(word=["never seen", "c"])
    assert np.array_equal(*auto.transform(new)[:, 1:])
    by_hand = OneHotEncoder(
        min_frequency=5, handle_unknown="infrequent_if_exist", sparse_output=False
    ).fit_transform(frame[["word"]].to_numpy(object))
    assert np.array_equal(features[:, 1:], by_hand)


@pytest.mark.parametrize(
    ("values", "is_text"),
    [
        ([f"id {i}" for i in range(ROWS)], True),
        ([f"site {i % 12}" for i in range(ROWS)], False),  # each of 12 has five rows
        ([f"group {i % 9}" for i in range(ROWS - 9)] + ["x"] * 9, False),
        ([f"few {i % 10}" for i in range(20)] + [None] * (ROWS - 20), False),  # of ten values
    ],
)
def test_texts_are_what_few_rows_share(values, is_text):
    auto, _, _ = fitted(column=values)
    assert outcome(auto, "column").step.startswith("texts") == is_text


@pytest.mark.parametrize(
    "texts",
    [
        [" ".join(str(bit) for bit in range(8) if i >> bit & 1) for i in range(ROWS)],
        ["!" * (i + 1) for i in range(ROWS)],
        [("  " * i) or "x" for i in range(ROWS)],
        ["Ab" if i % 2 else "aB" * i for i in range(ROWS)],
    ],
)
def test_texts_that_share_few_letters_or_none_have_fewer_numbers(texts):
    letters = Letters(1).fit(texts)
    assert letters.transform(texts).shape == (ROWS, letters.width_)
    assert letters.width_ <= MAX_NUMBERS
    auto, frame, features = fitted(text=texts)
    assert np.isfinite(features).all()
    assert np.array_equal(auto.transform(frame), features)


def test_names_of_columns_may_hold_anything():
    days = pd.Series(pd.date_range("2024-01-01", periods=ROWS, freq="40D"))
    notes = [f"note {i}" for i in range(ROWS)]
    names = {"d": days, "d (month)": NUMBER, "1 (days)": NUMBER, "levels d": ["u", "v"] * 30}
    auto, frame, features = fitted(
        **names, **{"a__b": notes, "text 0": notes, "levels a__b": notes}
    )
    assert np.array_equal(auto.transform(frame), features)
    assert [column.column for column in auto.outcome] == list(frame.columns)


def test_dates_far_away_are_days():
    days = pd.Series(pd.to_datetime(["2024-01-01", "2024-03-05"] * 30)).astype("datetime64[s]")
    far = days.copy()
    far.iloc[3] = np.datetime64("9999-12-31", "s")
    far.iloc[4] = np.datetime64("0001-01-01", "s")
    _, _, features = fitted(day=far)
    assert np.isfinite(features).all()
    zoned = pd.Series(pd.date_range("2024-01-01", periods=ROWS, tz="Europe/Berlin"))
    auto, frame, features = fitted(day=zoned.where(zoned.index != 5))
    assert outcome(auto, "day").gaps == 1
    assert np.array_equal(auto.transform(frame), features)


def test_a_column_without_values_in_training_is_left_out():
    empty = pd.Series([np.nan] * ROWS)
    auto, frame, features = fitted(empty=empty)
    assert outcome(auto, "empty").step == "left out: no value in training"
    assert features.shape == (ROWS, 1)
    assert auto.transform(frame.assign(empty=1.0)).shape == (ROWS, 1)
