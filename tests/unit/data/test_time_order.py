"""Anything with an order is a time: rows are put in it, and the same times are the same data."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.dataset import TIMES, Dataset
from foldproof.tasks.data.stored_features import FEATURES
from foldproof.tasks.data.time_order import time_codes
from tests.support.inputs import Prepare

DAYS = pd.to_datetime(["2024-03-01", "2023-12-31", "2024-03-01", "2024-01-15"])
CODES = [2, 0, 2, 1]
Y = [1.5, 2.5, 3.5, 4.5]

FORMS: dict[str, Any] = {
    "days as text": [str(day.date()) for day in DAYS],
    "moments as text": [day.isoformat() for day in DAYS],
    "moments with a blank": [str(day) for day in DAYS],
    "moments with zones": [
        *("2024-03-01T01:00+01:00", "2023-12-31T00:00Z"),
        *("2024-03-01T00:00Z", "2024-01-15T00:00-05:00"),
    ],
    "months": ["2024-03", "2023-12", "2024-03", "2024-01"],
    "long ago": ["1650-03-01", "1500-01-01", "1650-03-01", "1600-01-01"],
    "numbers": [20240301, 20231231, 20240301, 20240115],
    "decimals": [7.5, -1.0, 7.5, 0.25],
    "dates": [day.date() for day in DAYS],
    "datetimes": [day.to_pydatetime() for day in DAYS],
    "datetimes with a zone": [day.to_pydatetime().replace(tzinfo=datetime.UTC) for day in DAYS],
    "timestamps": DAYS,
    "timestamps with a zone": DAYS.tz_localize("Europe/Berlin"),
    "times of day": [datetime.time(9), datetime.time(7), datetime.time(9), datetime.time(8)],
}


@pytest.mark.parametrize("form", FORMS)
def test_any_form_of_a_time_orders_rows_in_files_frames_and_arrays(
    form: str, prepare: Prepare, tmp_path: Path
) -> None:
    column = pd.Series(list(FORMS[form]))
    frame = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "t": column, "y": Y})
    parquet.write_table(pa.table(frame), tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    roles: Any = {"target": "y", "time": "t"}
    made = [
        prepare(DataSpec(source=str(tmp_path / "t.parquet"), **roles)),
        prepare(DataSpec.model_validate({"source": frame, **roles})),
    ]
    made.append(prepare(DataSpec(source=str(tmp_path / "t.csv"), **roles)))
    if form != "times of day":
        made.append(prepare(DataSpec.from_arrays(frame[["x"]], Y, time=column)))
    for data in made:
        assert array(data, TIMES) == [0, 1, 2, 2]
        assert array(data, FEATURES) == [[1.0], [3.0], [0.0], [2.0]]
    assert len({data.digest for data in made}) == 1


def array(data: Dataset, name: str) -> Any:
    found = data.array(name)
    assert found is not None
    return found.tolist()


def test_times_of_an_npz_file_and_of_polars(prepare: Prepare, tmp_path: Path) -> None:
    X, moments = np.arange(4.0).reshape(-1, 1), DAYS.to_numpy()
    np.savez(tmp_path / "d.npz", X=X, y=Y, when=moments)
    of_file = prepare(source=str(tmp_path / "d.npz"), time="when")
    frame = pl.DataFrame({"x": X[:, 0], "t": moments, "y": Y})
    of_frame = prepare(DataSpec.model_validate({"source": frame, "target": "y", "time": "t"}))
    assert of_file.digest == of_frame.digest
    assert prepare(source=str(tmp_path / "d.npz")).array(TIMES) is None  # only where it is named
    with pytest.raises(InputError, match=r"^data\.time: no array 'nope' beside X; save one value"):
        prepare(source=str(tmp_path / "d.npz"), time="nope")


def test_a_shuffled_file_is_the_same_data_as_the_sorted_one(
    prepare: Prepare, tmp_path: Path
) -> None:
    generator = np.random.default_rng(0)
    columns = {
        **{"t": pd.date_range("2024-01-01", periods=50, freq="h"), "x": generator.random(50)},
        **{"g": generator.integers(0, 9, 50), "w": generator.random(50), "n": np.arange(50)},
        "y": generator.choice(["a", "b"], 50),
    }
    frame = pd.DataFrame(columns)
    roles: Any = {"target": "y", "time": "t", "groups": "g", "weights": "w", "id": "n"}
    made = []
    for name, rows in (("sorted", frame), ("shuffled", frame.sample(frac=1, random_state=1))):
        rows.to_parquet(tmp_path / f"{name}.parquet", index=False)
        made.append(prepare(source=str(tmp_path / f"{name}.parquet"), **roles))
    for name in ("features", "targets", "codes", "groups", "weights", "times"):
        one, other = (data.array(f"{name}.npy") for data in made)
        np.testing.assert_array_equal(one, other)
    assert made[0].digest == made[1].digest
    assert made[0].ids_digest == made[1].ids_digest
    assert made[0].notices == ()
    note = "the source is not in the order of data.time 't': its rows were put in it, and row"
    assert [text.startswith(note) for text in made[1].notices] == [True]


def test_rows_of_one_time_stay_in_the_order_of_the_source(prepare: Prepare) -> None:
    data = prepare(DataSpec.from_arrays(np.arange(6.0).reshape(-1, 1), Y + Y[:2], time=[2, 1] * 3))
    assert array(data, FEATURES) == [[1.0], [3.0], [5.0], [0.0], [2.0], [4.0]]


def test_the_times_count_in_the_digest_by_their_order_alone(prepare: Prepare) -> None:
    X = np.zeros((4, 1))
    digests = [
        prepare(DataSpec.from_arrays(X, Y, time=time)).digest
        for time in ([1, 2, 3, 4], [10, 20, 30, 99], [1, 1, 3, 4])
    ]
    assert digests[0] == digests[1] != digests[2]
    assert prepare(DataSpec.from_arrays(X, Y)).digest not in digests


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (["2024-01-01", None], "1 of 2 values are missing; give each row its time, or remove"),
        ([1.0, np.nan], "1 of 2 values are missing; give each row its time, or remove those rows"),
        (np.array(["2024-01-01", "NaT"], "M8[D]"), "1 of 2 values are missing; give each row its"),
        (["03.04.2024", "2024-01-01"], "'03.04.2024' is no date as in 2026-01-31 or 2026-01-31T"),
        (
            ["spring", "autumn"],
            "'spring' is no date as in 2026-01-31 or 2026-01-31T09:30:00; write",
        ),
        (["2024-01-01T00:00Z", "2024-01-01T00:00"], "some values have a time zone, others have"),
        ([True, False], "holds bool; give dates, times or numbers"),
        (["2024-01-01", 5], "mixes kinds of values; make all dates, all numbers or all text"),
    ],
    ids=str,
)
def test_what_is_no_time_is_refused_in_one_line(values: Any, problem: str) -> None:
    array = values if isinstance(values, np.ndarray) else np.array(values, dtype=object)
    if {type(value) for value in values} <= {float, bool}:
        array = np.array(values)
    with pytest.raises(InputError) as caught:
        time_codes(array)
    assert str(caught.value).startswith(f"data.time: {problem}")
    assert "\n" not in str(caught.value)


@given(st.lists(st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))))
@settings(deadline=None, database=None, derandomize=True)
def test_text_and_moments_have_the_same_codes(moments: list[datetime.datetime]) -> None:
    text = np.array([moment.isoformat(" ") for moment in moments], dtype=object)
    expected = [sorted(set(moments)).index(moment) for moment in moments]
    if moments:
        assert time_codes(text).tolist() == expected
        assert time_codes(np.array(moments, "M8[us]")).tolist() == expected
