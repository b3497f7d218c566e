"""Several inputs on disk, from tables, arrays and frames; each stored as one input is."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from tests.support.inputs import Prepare

ROWS = 8
TABLE = pd.DataFrame(
    {
        "a": np.arange(ROWS, dtype=float),
        "b": np.arange(ROWS) * 2.0,
        "c": np.arange(ROWS) * 3.0,
        "word": ["u", "v"] * 4,
        "who": range(ROWS),
        "y": [0, 1] * 4,
    }
)
ROLES: dict[str, Any] = {"target": "y", "id": "who"}


def test_each_input_is_stored_as_the_only_one_would_be(prepare: Prepare) -> None:
    inputs = {"two": ["a", "b"], "words": ["word", "c"], "one": "a"}
    data = prepare(source=TABLE, inputs=inputs, **ROLES)
    assert data.feature_shape == {"one": (1,), "two": (2,), "words": (2,)}
    assert list(data.tables) == ["words"]
    assert data.settings.inputs == {"one": ["a"], "two": ["a", "b"], "words": ["word", "c"]}
    alone = prepare(source=TABLE, features=["a", "b"], **ROLES)
    both = [each / "features.npy" for each in (data.folder / "inputs" / "two", alone.folder)]
    assert both[0].read_bytes() == both[1].read_bytes()
    assert (data.folder / "inputs" / "words" / "frame.arrow").is_file()
    assert not (data.folder / "features.npy").exists()


def test_columns_of_no_input_are_left_out_with_a_note(prepare: Prepare) -> None:
    data = prepare(source=TABLE, inputs={"two": ["a", "b"]}, **ROLES)
    assert "columns of no input are left out: 'c', 'word'" in data.notices
    told = prepare(source=TABLE, inputs={"two": ["a", "b"]}, drop=["c", "word"], **ROLES).notices
    assert not any("left out" in notice for notice in told)


def test_rows_of_every_input_are_put_in_the_order_of_time(prepare: Prepare) -> None:
    late_first = TABLE.iloc[::-1]
    data = prepare(source=late_first, target="y", time="who", inputs={"n": ["a"], "w": "word"})
    assert np.load(data.folder / "inputs" / "n" / "features.npy")[:, 0].tolist() == [*range(ROWS)]
    assert (
        data.digest
        == prepare(source=TABLE, target="y", time="who", inputs={"n": ["a"], "w": "word"}).digest
    )


ARRAYS = {"image": np.arange(ROWS * 12.0).reshape(ROWS, 2, 3, 2), "age": TABLE.a.to_numpy()}


def test_arrays_of_a_file_and_of_python_are_the_same(prepare: Prepare, tmp_path: Path) -> None:
    word = TABLE.word.to_numpy(str)
    np.savez(tmp_path / "d.npz", y=TABLE.y, word=word, **ARRAYS)
    named = {name: name for name in (*ARRAYS, "word")}
    made = [
        prepare(source=str(tmp_path / "d.npz"), inputs=named),
        prepare(DataSpec.from_arrays(ARRAYS | {"word": TABLE.word}, TABLE.y)),
        prepare(DataSpec.from_arrays(ARRAYS | {"word": TABLE[["word"]]}, TABLE.y)),
    ]
    assert len({data.digest for data in made}) == 1
    assert made[0].feature_shape == {"age": (1,), "image": (2, 3, 2), "word": (1,)}
    assert [*made[0].tables] == ["word"]


def test_coarse_columns_are_named_with_their_input(prepare: Prepare) -> None:
    fine = TABLE.assign(a=1.7e9 + np.arange(ROWS))
    data = prepare(source=fine, inputs={"clock": ["a"], "other": ["b"]}, **ROLES)
    assert [column.name for column in data.merged] == ["clock.a"]
    assert (data.folder / "inputs" / "clock" / "wide.npy").is_file()


REFUSED = [
    ({"inputs": {"n": ["a", "aa"]}}, "data.inputs.n: no column 'aa'; "),
    ({"inputs": {"n": ["a", "y"]}}, "data.inputs.n: column 'y' is also data.target; give it one"),
    ({"inputs": {"n": ["who"]}}, "data.inputs.n: column 'who' is also data.id; give it one role"),
    ({"inputs": {"n": ["a"]}, "groups": "a"}, "data.inputs.n: column 'a' is also data.groups"),
    ({"inputs": {"n": ["a"]}, "time": "a"}, "data.inputs.n: column 'a' is also data.time"),
    ({"inputs": {"n": ["a"]}, "drop": "a"}, "data.inputs.n: column 'a' is also data.drop"),
    (
        {"inputs": {"n": ["gap"]}, "preprocess": "none", "drop": ["word"]},
        "data.inputs.n: column 'gap': 1 of 8 values are infinite; drop the column or those rows",
    ),
]


@pytest.mark.parametrize(("given", "problem"), REFUSED)
def test_columns_that_no_input_can_have_are_one_line(
    prepare: Prepare, given: dict[str, Any], problem: str
) -> None:
    table = TABLE.assign(gap=TABLE.a.where(TABLE.a != 3, np.inf))
    with pytest.raises(InputError) as caught:
        prepare(source=table, **ROLES, **given)
    assert str(caught.value).startswith(problem)


NPZ = [
    ({"image": "imag"}, {}, "data.inputs.image: no array 'imag'; "),
    ({"image": ["image", "age"]}, {}, "data.inputs.image: an input of arrays is one array; save"),
    ({"image": "y"}, {}, "data.inputs.image: 'y' is the target; give it one role"),
    ({"age": "age"}, {"id": "age"}, "data.inputs.age: 'age' is data.id; give it one role"),
    ({"age": "age", "few": "few"}, {}, "data.inputs.few: has 3 rows, but age has 8; give one a"),
    ({"none": "none"}, {}, "data.inputs.none: is empty; its shape is (8, 0)"),
    (None, {}, "data.source: has no array X; write X and y with numpy.savez, or name one array"),
]


@pytest.mark.parametrize(("inputs", "roles", "problem"), NPZ)
def test_arrays_that_no_input_can_have_are_one_line(
    prepare: Prepare, tmp_path: Path, inputs: Any, roles: dict[str, Any], problem: str
) -> None:
    more: dict[str, Any] = {"few": np.zeros((3, 2)), "none": np.zeros((ROWS, 0))}
    np.savez(tmp_path / "d.npz", y=TABLE.y, **ARRAYS, **more)
    with pytest.raises(InputError) as caught:
        prepare(source=str(tmp_path / "d.npz"), inputs=inputs, **roles)
    assert str(caught.value).startswith(problem)


PYTHON = [
    ({}, "X: names no input; give some, as {name: features}"),
    ({"y": TABLE.a}, "X: 'y' is no name of an input; give a text other than groups, id, time"),
    ({3: TABLE.a}, "X: 3 is no name of an input; give a text other than groups"),
    ({"a": TABLE[["a"]], "b": np.zeros((3, 1))}, "data.inputs.b: has 3 rows, but a has 8; give"),
]


@pytest.mark.parametrize(("X", "problem"), PYTHON)
def test_dicts_that_are_no_inputs_are_one_line(prepare: Prepare, X: Any, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        prepare(DataSpec.from_arrays(X, TABLE.y))
    assert str(caught.value).startswith(problem)
