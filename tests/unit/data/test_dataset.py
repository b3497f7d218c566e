"""Data sets on disk: the same content is the same data set, wherever it came from."""

import csv
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.dataset import (
    CODES,
    FOLDS,
    GROUPS,
    TARGETS,
    WEIGHTS,
    Dataset,
    prepare_data,
)
from foldproof.tasks.data.stored_features import FEATURES
from foldproof.tasks.data.tables.frames import FRAME, take_frame
from tests.support.inputs import Prepare

COLUMNS: dict[str, list[Any]] = {
    "a": [0.1, 2.5, -3.0, 1e-9, 7.0, 0.0],
    "b": [1, 2, 3, 4, 5, 6],
    "g": ["u", "v", "u", "w", "v", "w"],
    "w": [1.0, 0.5, 2.0, 0.0, 1.0, 3.25],
    "y": ["no", "yes", "no", "yes", "yes", "no"],
}
ROLES = {"target": "y", "groups": "g", "weights": "w"}


def write_csv(columns: dict[str, list[Any]], path: Path) -> str:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(map(_text, column) for column in columns.values()), strict=True))
    return str(path)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def write_parquet(columns: dict[str, list[Any]], path: Path) -> str:
    parquet.write_table(pa.table(columns), path)
    return str(path)


def features(columns: dict[str, list[Any]]) -> Any:
    return np.column_stack([columns["a"], columns["b"]])


@pytest.fixture
def from_csv(prepare: Prepare, tmp_path: Path) -> Dataset:
    return prepare(source=write_csv(COLUMNS, tmp_path / "data.csv"), **ROLES)


def test_arrays_on_disk_are_what_the_contract_says(from_csv: Dataset) -> None:
    X, y, codes = (from_csv.array(name) for name in (FEATURES, TARGETS, CODES))
    groups, weights = from_csv.array(GROUPS), from_csv.array(WEIGHTS)
    for array, kind in ((X, "f4"), (y, "f4"), (codes, "i8"), (groups, "i8"), (weights, "f4")):
        assert array is not None
        assert array.dtype == kind
    np.testing.assert_array_equal(X, features(COLUMNS).astype(np.float32))
    assert np.array(y).tolist() == [[0], [1], [0], [1], [1], [0]]
    assert np.array(codes).tolist() == [0, 1, 0, 1, 1, 0]
    assert np.array(groups).tolist() == [0, 1, 0, 2, 1, 2]
    assert np.array(weights).tolist() == COLUMNS["w"]
    assert from_csv.array(FOLDS) is None


def test_dataset_says_what_it_is(from_csv: Dataset) -> None:
    assert (from_csv.rows, from_csv.feature_shape, from_csv.task) == (6, (2,), "binary")
    assert (from_csv.labels, from_csv.positive) == (("no", "yes"), "yes")
    assert (from_csv.settings.task, from_csv.settings.positive) == ("binary", "yes")


def test_positive_class_comes_last_and_is_one(prepare: Prepare, tmp_path: Path) -> None:
    source = write_csv(COLUMNS, tmp_path / "data.csv")
    data = prepare(source=source, positive="no", **ROLES)
    assert (data.labels, data.classes, data.outputs) == (("no", "yes"), ("yes", "no"), 1)
    assert np.array(data.array(TARGETS)).ravel().tolist() == [1, 0, 1, 0, 0, 1]
    assert data.codes().tolist() == [0, 1, 0, 1, 1, 0]


def test_multiclass_learns_int32_codes(prepare: Prepare) -> None:
    data = prepare(source="iris")
    targets = data.array(TARGETS)
    assert targets is not None
    assert (targets.dtype, targets.shape) == (np.dtype(np.int32), (150,))
    assert (data.outputs, data.positive) == (3, None)
    assert data.classes == data.labels == ("setosa", "versicolor", "virginica")
    np.testing.assert_array_equal(targets, data.codes())


def test_regression_learns_float32_and_keeps_float64(prepare: Prepare) -> None:
    data = prepare(source="diabetes")
    targets = data.array(TARGETS)
    assert targets is not None
    assert (targets.dtype, targets.shape) == (np.dtype(np.float32), (442, 1))
    assert data.codes().dtype == np.float64
    assert (data.task, data.labels, data.outputs) == ("regression", (), 1)


@pytest.mark.parametrize(
    ("source", "rows", "shape", "labels", "positive"),
    [
        ("breast_cancer", 569, (30,), ("benign", "malignant"), "malignant"),
        ("iris", 150, (4,), ("setosa", "versicolor", "virginica"), None),
        ("wine", 178, (13,), ("class_0", "class_1", "class_2"), None),
        ("digits", 1797, (64,), tuple(range(10)), None),
        ("diabetes", 442, (10,), (), None),
        ("blobs", 100, (10,), (0, 1), 1),
    ],
)
def test_bundled_data(
    prepare: Prepare, source: str, rows: int, shape: Any, labels: Any, positive: Any
) -> None:
    data = prepare(source=source)
    assert (data.rows, data.feature_shape, data.labels) == (rows, shape, labels)
    assert data.positive == positive


def test_same_content_from_anywhere_has_the_same_digest(
    from_csv: Dataset, prepare: Prepare, tmp_path: Path
) -> None:
    columns = {name: np.array(column) for name, column in COLUMNS.items()}
    arrays: dict[str, Any] = {"X": features(COLUMNS), "y": columns["y"]}
    sides: dict[str, Any] = {"groups": columns["g"], "weights": columns["w"]}
    np.savez(tmp_path / "data.npz", **arrays, **sides)
    others = [
        prepare(source=write_parquet(COLUMNS, tmp_path / "data.parquet"), **ROLES),
        prepare(source=str(tmp_path / "data.npz")),
        prepare(DataSpec.from_arrays(**arrays, **sides)),
    ]
    assert {other.digest for other in others} == {from_csv.digest}


def test_folder_of_parts_has_the_digest_of_the_whole(
    from_csv: Dataset, prepare: Prepare, tmp_path: Path
) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    for name, rows in (("1", slice(0, 2)), ("2", slice(2, None))):
        part = {column: values[rows] for column, values in COLUMNS.items()}
        write_parquet(part, folder / f"{name}.parquet")
    assert prepare(source=str(folder), **ROLES).digest == from_csv.digest


def test_name_and_place_of_the_file_do_not_count(
    from_csv: Dataset, prepare: Prepare, here: Path
) -> None:
    write_csv(COLUMNS, here / "renamed.csv")
    for source in ("renamed.csv", (here / "renamed.csv").as_uri()):
        assert prepare(source=source, **ROLES).digest == from_csv.digest


@pytest.mark.parametrize("column", list(COLUMNS))
def test_any_changed_value_changes_the_digest(
    from_csv: Dataset, prepare: Prepare, tmp_path: Path, column: str
) -> None:
    changed = dict(COLUMNS)
    changed[column] = [COLUMNS[column][1], *COLUMNS[column][1:]]
    source = write_csv(changed, tmp_path / "changed.csv")
    assert prepare(source=source, **ROLES).digest != from_csv.digest


def test_one_bit_of_one_feature_changes_the_digest(prepare: Prepare) -> None:
    X = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    one = prepare(DataSpec.from_arrays(X, COLUMNS["y"]))
    X.view(np.uint32)[3, 1] ^= 1
    assert prepare(DataSpec.from_arrays(X, COLUMNS["y"])).digest != one.digest


def test_what_float32_cannot_tell_apart_is_the_same(prepare: Prepare) -> None:
    X = np.array([[0.1], [0.2]])
    exact, rounded = (prepare(DataSpec.from_arrays(x, [0, 1])) for x in (X, X.astype(np.float32)))
    assert exact.digest == rounded.digest


def test_order_of_rows_and_names_of_labels_count(prepare: Prepare) -> None:
    X = np.arange(4.0).reshape(4, 1)
    given: list[Any] = [
        (X, [0, 1, 0, 1]),
        (X[::-1], [1, 0, 1, 0]),
        (X, [0, 2, 0, 2]),
        (X, list("0101")),
    ]
    assert len({prepare(DataSpec.from_arrays(*pair)).digest for pair in given}) == 4


def test_presence_of_groups_counts(prepare: Prepare) -> None:
    X, y = np.arange(4.0).reshape(4, 1), [0, 1, 0, 1]
    sides: list[dict[str, Any]] = [{}, {"groups": y}, {"weights": [1.0] * 4}]
    assert len({prepare(DataSpec.from_arrays(X, y, **side)).digest for side in sides}) == 3


def test_images_keep_their_shape(prepare: Prepare) -> None:
    X = np.zeros((4, 8, 8, 1))
    assert prepare(DataSpec.from_arrays(X, [0, 1, 0, 1])).feature_shape == (8, 8, 1)


@pytest.mark.parametrize(
    "values", [["10", "9", "10"], [10, 9, 10], [True, False, True], [1.5, -2.0, 1.5]]
)
def test_groups_and_folds_of_any_kind_are_coded_in_sorted_order(
    prepare: Prepare, tmp_path: Path, values: list[Any]
) -> None:
    columns = {"a": [1, 2, 3], "y": [0, 1, 1], "g": values, "f": values}
    path = write_parquet(columns, tmp_path / "data.parquet")
    data = prepare(fold_column="f", source=path, target="y", groups="g")
    expected = np.unique(np.array(values), return_inverse=True)[1]
    for name in (GROUPS, FOLDS):
        np.testing.assert_array_equal(np.array(data.array(name)), expected)


@pytest.mark.parametrize(
    ("column", "values", "problem"),
    [
        ("g", ["u", None, "u"], "data.groups: 1 of 3 values are missing; remove those rows"),
        (
            "g",
            [1.0, float("nan"), None],
            "data.groups: 2 of 3 values are missing; remove",
        ),
        ("f", [None, None, 1], "split.fold_column: 2 of 3 values are missing; remove those rows"),
        ("w", [1.0, None, -1.0], "data.weights: 2 of 3 values are missing, negative or infinite;"),
        ("w", [1.0, 1e300, 1.0], "data.weights: 1 of 3 values are missing, negative or infinite;"),
        ("w", [0, 0, 0], "data.weights: all are zero; give some rows a weight"),
        ("w", ["1", "x", "2"], "data.weights: holds object; weights must be numbers"),
        ("y", [0.5, 1e300, 1.0], "data.target: 1 of 3 values are infinite as float32; scale"),
    ],
)
def test_unusable_columns_are_refused(
    prepare: Prepare, tmp_path: Path, column: str, values: list[Any], problem: str
) -> None:
    sound = {"a": [1, 2, 3], "y": [0, 1, 1], "g": [1, 2, 3], "w": [1, 1, 1], "f": [1, 2, 3]}
    path = write_parquet({**sound, column: values}, tmp_path / "data.parquet")
    with pytest.raises(InputError) as caught:
        prepare(fold_column="f", source=path, **ROLES)
    assert str(caught.value).startswith(problem)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
SMALL = st.integers(-3, 3)
WORDS = st.sampled_from(["a", "b", "größe", "two words", 'qu"ote', "com,ma"])
KINDS = [NUMBERS, st.floats(), SMALL, st.booleans(), WORDS]


@st.composite
def tables(draw: Any) -> dict[str, list[Any]]:
    """Columns of one kind each, now and then with gaps."""
    rows = draw(st.integers(1, 12))
    columns = {}
    for name in ("a", "b", "y"):
        kind = draw(st.sampled_from(KINDS[:4] if name != "y" else KINDS))
        some = kind | st.none() if draw(st.integers(0, 9)) == 0 else kind
        columns[name] = draw(st.lists(some, min_size=rows, max_size=rows))
    return columns


def outcome(source: str, folder: Path) -> str:
    """Return the digest of a data set, or what is said against it."""
    folder.mkdir()
    try:
        return prepare_data(DataSpec(source=source, target="y"), None, folder).digest
    except InputError as error:
        return str(error)


@given(tables())
@settings(deadline=None, max_examples=150, database=None, derandomize=True)
def test_csv_and_parquet_of_a_table_are_the_same_data(columns: dict[str, list[Any]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = outcome(write_csv(columns, folder / "t.csv"), folder / "csv")
        other = outcome(write_parquet(columns, folder / "t.parquet"), folder / "parquet")
    assert one == other
    assert len(one.splitlines()) == 1


@given(tables())
@settings(deadline=None, max_examples=60, database=None, derandomize=True)
def test_a_data_set_is_whole_and_finite(columns: dict[str, list[Any]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = DataSpec(source=write_parquet(columns, folder / "t.parquet"), target="y")
        try:
            data = prepare_data(spec, None, folder)
        except InputError:
            return
        check_whole(data, len(columns["y"]))


def check_whole(data: Dataset, rows: int) -> None:
    X, y = data.array(FEATURES), data.array(TARGETS)
    assert y is not None
    assert len(y) == len(data.codes()) == data.rows == rows
    if X is None:
        table = take_frame(data.folder / FRAME, np.arange(rows))
        assert table.num_rows == rows
        assert [column.name for column in data.columns] == table.column_names
    else:
        assert len(X) == rows
        assert np.isfinite(X).all()
    assert np.isfinite(y).all()
    if data.task != "regression":
        assert len(data.labels) >= 2
        assert sorted(np.unique(data.codes())) == list(range(len(data.labels)))


@given(st.binary(max_size=80), st.sampled_from(["t.csv", "t.parquet", "t.npz", "t.csv.gz"]))
@settings(deadline=None, max_examples=120, database=None, derandomize=True)
def test_any_bytes_are_a_data_set_or_one_line(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        assert len(outcome(str(path), Path(folder) / "data").splitlines()) == 1


@given(
    st.sampled_from(["", "a,y\n", '"a\nb","y\n"\n']), st.text(alphabet='ay1,.;"\n-e', max_size=40)
)
@settings(deadline=None, max_examples=120, database=None, derandomize=True)
def test_any_text_is_a_table_or_one_line(header: str, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_text(header + text, encoding="utf-8")
        assert len(outcome(str(path), Path(folder) / "data").splitlines()) == 1
