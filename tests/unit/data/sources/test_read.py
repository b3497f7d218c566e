"""Sources: every kind of file and what is wrong with it; files are real ones."""

import gzip
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet
from sklearn import datasets

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.sources.read import check_source, read
from tests.support.reading import load, refused, write

CSV = "a,b,y\n1,2,0\n3,4,1\n"
X = np.arange(8.0).reshape(4, 2)
Y = np.array([0, 1, 0, 1])


def write_npz(folder: Path, **arrays: Any) -> str:
    np.savez(folder / "data.npz", **arrays)
    return str(folder / "data.npz")


def write_parquet(folder: Path, columns: Any, name: str = "data.parquet") -> str:
    table = columns if isinstance(columns, pa.Table) else pa.table(columns)
    parquet.write_table(table, folder / name)
    return str(folder / name)


@pytest.mark.parametrize("name", ["breast_cancer", "iris", "wine", "digits", "diabetes"])
def test_bundled_data_are_those_of_scikit_learn(name: str) -> None:
    bunch = getattr(datasets, f"load_{name}")()
    raw = load(name)
    assert raw.features.column_names == list(bunch.feature_names)
    np.testing.assert_array_equal(np.column_stack(raw.features.columns), bunch.data)
    labels = bunch.target
    if name in ("breast_cancer", "iris", "wine"):
        labels = bunch.target_names[bunch.target]
    assert raw.target.tolist() == labels.tolist()


def test_blobs_are_those_of_the_question() -> None:
    features, target = datasets.make_blobs(n_samples=100, centers=2, n_features=10, random_state=1)
    raw = load("blobs")
    np.testing.assert_array_equal(np.column_stack(raw.features.columns), features)
    assert raw.target.tolist() == target.tolist()


def test_bundled_data_take_another_target() -> None:
    raw = load("diabetes", target="bmi", drop=["sex"])
    assert "target" in raw.features.column_names
    assert not {"bmi", "sex"} & set(raw.features.column_names)


def test_columns_without_a_role_are_features(tmp_path: Path) -> None:
    source = write(tmp_path, "id,a,b,g,w,f,y\n1,2,3,x,1,0,0\n2,3,4,y,2,1,1\n")
    raw = load(source, "f", target="y", groups="g", weights="w", drop=["id"])
    assert raw.features.column_names == ["a", "b"]
    assert raw.target.tolist() == [0, 1]
    assert (raw.groups is None, raw.weights is None, raw.folds is None) == (False, False, False)
    assert [raw.groups[0], raw.weights[1], raw.folds[1]] == ["x", 2, 1]
    assert raw.settings.target == "y"
    assert raw.rows == 2


def test_features_may_be_listed_in_any_order(tmp_path: Path) -> None:
    raw = load(write(tmp_path, CSV), target="y", features=["b", "a"])
    assert raw.features.column_names == ["b", "a"]


@pytest.mark.parametrize(
    "text",
    [
        CSV,
        CSV.replace("\n", "\r\n"),
        "\ufeff" + CSV,
        CSV.rstrip("\n"),
        '"a","b","y"\n"1","2","0"\n"3","4","1"\n',
    ],
    ids=["unix", "windows", "byte order mark", "no last newline", "quoted"],
)
def test_csv_dialects_read_the_same(tmp_path: Path, text: str) -> None:
    raw = load(write(tmp_path, text), target="y")
    assert raw.features.to_pydict() == {"a": [1, 3], "b": [2, 4]}
    assert raw.target.tolist() == [0, 1]


def test_csv_may_be_compressed_and_named_in_capitals(tmp_path: Path) -> None:
    for name in ("data.csv.gz", "DATA.CSV.GZ"):
        raw = load(write(tmp_path, gzip.compress(CSV.encode()), name), target="y")
        assert raw.features.to_pydict() == {"a": [1, 3], "b": [2, 4]}
    assert load(write(tmp_path, CSV, "DATA.CSV"), target="y").rows == 2


@pytest.mark.parametrize("gap", ["", "NA", "null", "NaN"])
def test_gaps_in_text_are_none(tmp_path: Path, gap: str) -> None:
    raw = load(write(tmp_path, f"a,g,y\n1,no,0\n2,{gap},1\n"), target="y", groups="g")
    assert raw.groups.tolist() == ["no", None]


def test_whole_file_decides_the_type_of_a_column(tmp_path: Path) -> None:
    """A column that turns from whole numbers to fractions after megabytes is one of floats."""
    rows = "".join(f"{i},{i % 2}\n" for i in range(200_000))
    raw = load(write(tmp_path, "a,y\n" + rows + "0.5,1\n"), target="y")
    assert raw.features["a"].type == pa.float64()
    assert raw.rows == 200_001


@pytest.mark.parametrize("name", ["data.csv", "data.parquet", "data.npz", "with space.csv"])
def test_a_file_uri_reads_like_its_path(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith(".npz"):
        np.savez(path, X=X, y=Y)
    elif name.endswith(".parquet"):
        write_parquet(tmp_path, {"a": [1, 3], "y": [0, 1]}, name)
    else:
        write(tmp_path, CSV, name)
    target = None if name.endswith(".npz") else "y"
    raw = load(path.as_uri(), target=target)
    assert raw.target.tolist() == load(str(path), target=target).target.tolist()


def test_relative_paths_start_from_the_working_directory(here: Path) -> None:
    write(here, CSV)
    assert load("data.csv", target="y").rows == 2


def test_parquet_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    for name, value in (("b.parquet", 2), ("c.parquet", 3), ("a.parquet", 1)):
        write_parquet(folder, {"a": [value, value], "y": [0, 1]}, name)
    raw = load(str(folder), target="y")
    assert raw.features["a"].to_pylist() == [1, 1, 2, 2, 3, 3]
    assert load(folder.as_uri(), target="y").rows == 6


@pytest.mark.parametrize(
    "target",
    [
        pa.array(["n", "p"]).dictionary_encode(),
        pa.array(["n", "p"], pa.large_string()),
        pa.array(["n", "p"], pa.string_view()),
    ],
    ids=lambda array: str(array.type),
)
def test_parquet_text_of_any_kind_is_text(tmp_path: Path, target: pa.Array) -> None:
    raw = load(write_parquet(tmp_path, {"a": [1, 2], "y": target}), target="y")
    assert raw.target.tolist() == ["n", "p"]


def test_index_that_pandas_saves_is_no_feature(tmp_path: Path) -> None:
    path = tmp_path / "data.parquet"
    pd.DataFrame({"a": [1.0, 2.0], "y": [0, 1]}, index=[7, 5]).to_parquet(path)
    problem = (
        "data.features: '__index_level_0__' is the index of a pandas table; put it in data.drop"
    )
    assert refused(str(path), target="y").startswith(problem)
    dropped = load(str(path), target="y", drop=["__index_level_0__"])
    assert dropped.features.column_names == ["a"]
    listed = load(str(path), target="y", features=["a", "__index_level_0__"])
    assert listed.features.num_columns == 2


def test_npz_holds_named_arrays(tmp_path: Path) -> None:
    source = write_npz(tmp_path, X=X, y=Y, groups=list("aabb"), weights=[1, 2, 3, 4], other=[1])
    raw = load(source)
    np.testing.assert_array_equal(raw.features, X)
    assert raw.target.tolist() == Y.tolist()
    assert (raw.settings.groups, raw.settings.weights) == ("groups", "weights")
    assert load(source, target="y", groups="groups").target.tolist() == Y.tolist()


def test_npz_columns_of_shape_n_1_are_columns(tmp_path: Path) -> None:
    column = Y.reshape(-1, 1)
    raw = load(write_npz(tmp_path, X=X, y=column, groups=column, weights=column + 1.0))
    assert raw.target.shape == (4,)
    assert raw.groups is not None
    assert raw.weights is not None
    assert (raw.groups.shape, raw.weights.shape) == ((4,), (4,))


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_npz_objects_are_refused_and_never_unpickled(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    source = write_npz(tmp_path, X=X, y=np.array([Trap(sprung)] * 4, dtype=object))
    assert refused(source).startswith("data.source: not a readable npz file (Object arrays")
    (tmp_path / "raw.npz").write_bytes(pickle.dumps(Trap(sprung)))
    message = refused(str(tmp_path / "raw.npz"))
    assert "allow_pickle=`" not in message
    assert message.endswith("write it with numpy.savez from arrays of numbers or text, not objects")
    assert not sprung.exists()


def test_damaged_npz_files_are_refused(tmp_path: Path) -> None:
    whole = Path(write_npz(tmp_path, X=X, y=Y)).read_bytes()
    np.savez_compressed(tmp_path / "zip.npz", X=np.random.default_rng(0).random((99, 9)), y=Y)
    packed = bytearray((tmp_path / "zip.npz").read_bytes())
    np.save(tmp_path / "one.npy", X)
    damaged = {
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "text": b"hello",
        "one array": (tmp_path / "one.npy").read_bytes(),
        "flipped": whole.replace(X.tobytes(), X[::-1].tobytes()),
        "crushed": bytes(packed[:200]) + b"\xff" * 400 + bytes(packed[600:]),
    }
    for name, data in damaged.items():
        problem = refused(write(tmp_path, data, f"{name}.npz"))
        assert problem.startswith("data.source: not a readable npz file ("), name


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"X": X}, "data.source: has no array y; write X and y with numpy.savez"),
        ({"y": Y}, "data.source: has no array X; write X and y with numpy.savez"),
        ({"X": Y, "y": Y}, "X: needs rows and features, but has shape (4,)"),
        ({"X": 5, "y": Y}, "X: needs rows and features, but has shape ()"),
        ({"X": X[:0], "y": Y[:0]}, "X: is empty; its shape is (0, 2)"),
        ({"X": X[:, :0], "y": Y}, "X: is empty; its shape is (4, 0)"),
        (
            {"X": X, "y": Y[:3]},
            "y: needs one value for each of the 4 rows of X, but has shape (3,)",
        ),
        ({"X": X, "y": 5}, "y: needs one value for each of the 4 rows of X, but has shape ()"),
        (
            {"X": X, "y": X[:3]},
            "y: needs one value for each of the 4 rows of X, but has shape (3, 2)",
        ),
        ({"X": X, "y": Y, "groups": Y[:2]}, "groups: needs one value for each of the 4 rows of X"),
        ({"X": X, "y": Y, "weights": X}, "weights: needs one value for each of the 4 rows of X"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, arrays: Any, problem: str) -> None:
    assert refused(write_npz(tmp_path, **arrays)).startswith(problem)
    if {"X", "y"} <= arrays.keys():
        with pytest.raises(InputError) as caught:
            read(DataSpec.from_arrays(**arrays), None)
        assert str(caught.value).startswith(problem)


@pytest.mark.parametrize(
    "settings",
    [{"target": "z"}, {"features": ["a"]}, {"drop": ["a"]}, {"groups": "g"}, {"weights": "w"}],
    ids=lambda settings: next(iter(settings)),
)
def test_arrays_have_no_columns(tmp_path: Path, settings: Any) -> None:
    problem = refused(write_npz(tmp_path, X=X, y=Y), **settings)
    assert (
        problem
        == f"data.{next(iter(settings))}: arrays have no columns; leave it out or use a table"
    )


def test_arrays_have_no_fold_column(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^split\.fold_column: arrays have no columns"):
        load(write_npz(tmp_path, X=X, y=Y), "f")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (pd.DataFrame({"a": [True, False], "b": [0.5, 2.0]}), [[1, 0.5], [0, 2]]),
        (pd.DataFrame({"a": pd.array([1, 2], dtype="Int64")}), [[1], [2]]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        (((1,), (0.5,)), [[1], [0.5]]),
    ],
    ids=["booleans and floats", "nullable", "lists", "tuples"],
)
def test_features_in_memory_may_be_anything_numeric(given: Any, expected: Any) -> None:
    raw = read(DataSpec.from_arrays(given, ["a", "b"]), None)
    np.testing.assert_array_equal(np.asarray(raw.features, dtype=float), expected)


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "b"],
        pd.Series(["a", "b"]),
        pd.Series(["a", "b"], dtype="string"),
        pd.Series(["a", "b"], dtype="category"),
        np.array(["a", "b"], dtype=object),
        np.array(["a", "b"], dtype=np.dtypes.StringDType()),
    ],
    ids=["list", "series", "string", "category", "objects", "StringDType"],
)
def test_text_in_memory_may_be_of_any_kind(labels: Any) -> None:
    raw = read(DataSpec.from_arrays([[1.0], [2.0]], labels), None)
    assert raw.target.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("features", "labels", "problem"),
    [
        ([[1, 2], [3]], [0, 1], "X: is no array ("),
        ([["a", None]], [0], "X: holds NoneType and str; give numbers, booleans or text"),
        ([[1.0], [2.0]], ["a", None], "y: holds NoneType and str; give numbers"),
        ([[1.0], [2.0]], pd.Series([True, 1.5], dtype=object), "y: holds bool and float; give"),
    ],
)
def test_unusable_arrays_in_memory_are_refused(features: Any, labels: Any, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        DataSpec.from_arrays(features, labels)
    assert str(caught.value).startswith(problem)
    assert len(str(caught.value).splitlines()) == 1


def test_arrays_of_another_process_are_unknown() -> None:
    assert refused("memory:0123456789abcdef").endswith("save them as an npz file")


@pytest.mark.parametrize(
    ("text", "settings", "problem"),
    [
        ("", {}, "data.source: cannot read"),
        ("a,y\n", {}, "data.source: "),
        ("a,y", {}, "data.source: cannot read"),
        ("a,b,y\n1,2,0\n3,4\n", {}, "data.source: cannot read"),
        ("a,a,y\n1,2,0\n", {}, "data.source: column 'a' stands there 2 times; rename one"),
        (",a,y\n0,1,0\n", {}, "data.source: column 1 of"),
        ("a:y\n1:0\n", {}, "data.target: no column 'y'; use one of a:y"),
        (
            CSV,
            {"target": None},
            "data.target: missing; name the column to predict with --data.target NAME; "
            "use one of a, b, y",
        ),
        (CSV, {"target": "z"}, "data.target: no column 'z'; use one of a, b, y"),
        ("alpha,yield\n1,0\n", {"target": "yeild"}, "data.target: no column 'yeild'; did you mean"),
        (CSV, {"groups": "g"}, "data.groups: no column 'g'; use one of a, b, y"),
        (CSV, {"weights": "w"}, "data.weights: no column 'w'; use one of a, b, y"),
        (CSV, {"drop": ["c"]}, "data.drop: no column 'c'; use one of a, b, y"),
        (CSV, {"features": ["c"]}, "data.features: no column 'c'; use one of a, b, y"),
        (CSV, {"features": ["a", "a"]}, "data.features: column 'a' is named twice; give it one"),
        (CSV, {"features": ["y"]}, "data.features: column 'y' is also data.target; give it one"),
        (CSV, {"drop": ["y"]}, "data.drop: column 'y' is also data.target; give it one role"),
        (CSV, {"groups": "y"}, "data.groups: column 'y' is also data.target; give it one role"),
        (CSV, {"drop": ["a", "b"]}, "data.features: no column is left to learn from; drop fewer"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_wrong_csv_files_are_refused(
    tmp_path: Path, text: Any, settings: Any, problem: str
) -> None:
    assert refused(write(tmp_path, text), **{"target": "y", **settings}).startswith(problem)


@pytest.mark.parametrize(
    ("columns", "settings", "problem"),
    [
        ({"a": pa.array([], pa.int64()), "y": pa.array([], pa.int64())}, {}, "data.source: "),
        ({"a": [1], "y": [[1, 2]]}, {}, "data.target: column 'y' holds list<element: int64>; give"),
        ({"a": [1], "y": [{"b": 1}]}, {}, "data.target: column 'y' holds struct<b: int64>; give"),
        ({"a": [1], "y": [0], "g": [[1]]}, {"groups": "g"}, "data.groups: column 'g' holds list"),
        ({"a": [1], "y": [0], "w": [[1]]}, {"weights": "w"}, "data.weights: column 'w' holds list"),
    ],
)
def test_wrong_parquet_files_are_refused(
    tmp_path: Path, columns: Any, settings: Any, problem: str
) -> None:
    assert refused(write_parquet(tmp_path, columns), target="y", **settings).startswith(problem)


def test_duplicate_parquet_columns_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1, 2])] * 3, names=["a", "a", "y"])
    assert refused(write_parquet(tmp_path, table), target="y").startswith("data.source: ")


@pytest.mark.parametrize("data", [b"", b"garbage", b"PAR1" + b"\0" * 50 + b"PAR1"])
def test_damaged_parquet_files_are_refused(tmp_path: Path, data: bytes) -> None:
    problem = refused(write(tmp_path, data, "data.parquet"), target="y")
    assert problem.startswith("data.source: cannot read")


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ((), "'f' holds no .parquet file; check the path"),
        ((".hidden.csv",), "'f' holds no .parquet file; check the path"),
        (
            ("a note.txt", "b c.csv"),
            "'f' holds no .parquet file, but 'b c.csv'; a folder is for Parquet files: "
            "type --data 'f/b c.csv'",
        ),
        (
            ("note.txt",),
            "'f' holds no .parquet file, but 'note.txt'; a folder is for Parquet files: "
            "check the path",
        ),
        (
            ("a.csv", "b.parquet"),
            "'f' holds 'a.csv', which is no Parquet file; move it out of the folder, "
            "or type --data f/a.csv",
        ),
        (
            ("a.parquet", "note.txt"),
            "'f' holds 'note.txt', which is no Parquet file; move it out of the folder",
        ),
    ],
)
def test_a_folder_is_for_parquet_files(here: Path, names: tuple[str, ...], problem: str) -> None:
    (here / "f").mkdir()
    for name in names:
        if name.endswith(".parquet"):
            parquet.write_table(pa.table({"a": [1, 2], "y": [0, 1]}), here / "f" / name)
        else:
            write(here / "f", CSV, name)
    assert refused("f", target="y") == f"data.source: {problem}"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("iri", "no file or folder 'iri'; did you mean iris?"),
        ("nothing", "no file or folder 'nothing'; use one of breast_cancer, iris, wine, "),
        ("none.csv", "no file or folder 'none.csv'; check the path"),
        ("a" * 5000 + ".csv", "no file or folder 'aaa"),
        ("note.txt", "'note.txt' is of an unknown kind; give a bundled data set (breast_"),
        ("file:///none/such.csv", "cannot open 'file:///none/such.csv': "),
        ("file://relative.csv", "cannot open 'file://relative.csv': File URI cannot be relative"),
        ("nope://x/y.csv", "'nope://x/y.csv' begins with none of file://, s3://, gs://, "),
        ("https://x/y.csv", "'https://x/y.csv' begins with none of file://, s3://, gs://, "),
        ("://", "'://' begins with none of file://"),
        ("s3://x/y.txt", "'y.txt' is of an unknown kind; give a bundled data set (breast_"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_no_source_is_refused(here: Path, source: str, problem: str) -> None:
    write(here, "text", "note.txt")
    assert refused(source, target="y").startswith(f"data.source: {problem}")


def test_sources_are_checked_before_anything_is_loaded(here: Path) -> None:
    write(here, "not a table at all", "data.parquet")
    check_source(DataSpec(source="data.parquet"))
    with pytest.raises(InputError, match=r"^data\.source: no file or folder"):
        check_source(DataSpec(source="none.parquet"))
