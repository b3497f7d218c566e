"""Whatever is wrong about the input is said in one line: the field, the problem, the remedy."""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pytest
from pyarrow import parquet

from foldproof.tasks.common.errors import InputError
from tests.support.inputs import X, Y, ask, data, split
from tests.support.places import ROOT

CV = ROOT / "flows" / "cv.py"
ESTIMATOR = "sklearn.linear_model:LogisticRegression"
LABELS = ("no", "yes", "maybe")

BOMB = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]\n" for i in range(1, 9)
)

TEXTS = {
    "good.csv": "a,b,g,w,y\n" + "".join(f"{i},{i * i},{i % 4},1,{i % 2}\n" for i in range(12)),
    "classes.csv": "a,y\n" + "".join(f"{i},{LABELS[i % 3]}\n" for i in range(12)),
    "numbers.csv": "a,f,y\n" + "".join(f"{i},{i % 3},{i / 7}\n" for i in range(12)),
    "rare.csv": "a,f,y\n" + "".join(f"{i},{i // 6},{int(i == 0)}\n" for i in range(12)),
    "empty.csv": "",
    "header.csv": "a,y\n",
    "ragged.csv": "a,b,y\n1,2,0\n3,1\n",
    "twice.csv": "a,a,y\n1,2,0\n3,4,1\n",
    "index.csv": ",a,y\n0,1,0\n1,2,1\n",
    "semicolon.csv": "a;y\n1;0\n2;1\n",
    "nan.csv": "a,b,y\n1,2,0\nnan,3,1\n,4,1\n",
    "inf.csv": "a,y\n1,0\n1e39,1\n",
    "gaps.csv": "a,g,w,x,y\n1,u,1,7,0\n2,,,8,1\n3,v,1,9,\n",
    "negative.csv": "a,w,y\n1,-1,0\n2,1,1\n",
    "zero.csv": "a,w,y\n1,0,0\n2,0,1\n",
    "words.csv": "a,w,y\n1,x,0\n2,y,1\n",
    "constant.csv": "a,y\n1,5\n2,5\n",
    "target.csv": "y\n0\n1\n",
    "fake.parquet": "no parquet",
    "fake.npz": "no npz",
    "note.txt": "a note",
    "bomb.yaml": BOMB,
    "broken.py": "def build(:\n",
    "fails.py": "raise RuntimeError('two\\nlines')\n",
    "own.py": "class NoFit: pass\n\nclass Needs:\n    def __init__(self, size): pass\n",
}
ARRAYS: dict[str, dict[str, Any]] = {
    "no_y.npz": {"X": X},
    "no_x.npz": {"y": Y},
    "flat.npz": {"X": Y, "y": Y},
    "short.npz": {"X": X, "y": Y[:5]},
    "none.npz": {"X": X[:0], "y": Y[:0]},
    "objects.npz": {"X": X, "y": np.array([None, "a"] * 6, dtype=object)},
    "words.npz": {"X": X.astype(str), "y": Y},
    "complex.npz": {"X": X, "y": Y * 1j},
    "huge.npz": {"X": X, "y": X[:, 0] * 1e300 + 0.5},
    "good.npz": {"X": X, "y": Y},
}
TABLES: dict[str, dict[str, Any]] = {
    "lists.parquet": {"a": [1, 2], "y": [[1], [2]]},
    "dates.parquet": {"a": [1, 2], "y": pa.array([1, 2], pa.date32())},
    "index.parquet": {"a": [1, 2], "__index_level_0__": [5, 6], "y": [0, 1]},
    "empty.parquet": {"a": pa.array([], pa.float64()), "y": pa.array([], pa.int64())},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, arrays in ARRAYS.items():
        np.savez(folder / name, **arrays)
    for name, columns in TABLES.items():
        parquet.write_table(pa.table(columns), folder / name)
    (folder / "latin.csv").write_bytes(b"a,y\n1,\xe9\n2,b\n")
    (folder / "bare").mkdir()
    return folder


@pytest.fixture
def working(files: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(files)
    return files


CONFIGURATION = [
    ({"sed": 1}, "sed", "did you mean seed?"),
    ({"xyz": 1}, "xyz", "use one of data, split, model"),
    ({1: 2}, "1", "use one of data, split, model"),
    ({"train": {"epoch": 3}}, "train.epoch", "did you mean epochs?"),
    ({"train": {"early_stopping": {"patients": 1}}}, "train.early_stopping.patients", "patience?"),
    ({"seed": -1}, "seed", "must be at least 0"),
    ({"seed": 2**31}, "seed", "must be less than 2147483648"),
    ({"seed": 1.5}, "seed", "must be a whole number"),
    ({"seed": None}, "seed", "must be a whole number"),
    ({"out": ""}, "out", "leave it out to take the default"),
    ({"data": None}, "data", "must be a mapping"),
    ({"data": {"task": "multiclas"}}, "data.task", "did you mean multiclass?"),
    ({"data": {"features": []}}, "data.features", "leave it out to take the default"),
    ({"data": {"drop": {}}}, "data.drop", "must be a list"),
    ({"data": {"csv": {"missing": True}}}, "data.csv.missing", "must be 'auto' or a list"),
    ({"data": {"positive": [1]}}, "data.positive", "must be text or a whole number"),
    ({"split": {"n_splits": 1}}, "split.n_splits", "must be at least 2"),
    ({"split": {"n_splits": "ten"}}, "split.n_splits", "must be a whole number"),
    ({"split": {"shuffle": "no"}}, "split.shuffle", "must be true or false"),
    ({"split": {"test_size": 0.3}}, "split.test_size", "only shuffle splits take it"),
    ({"split": {"method": "predefined"}}, "split.fold_column", "needs the column of the folds"),
    ({"split": {"fold_column": "f"}}, "split.fold_column", "set method: predefined"),
    (
        {"split": {"n_repeats": 2, "shuffle": False, "method": "kfold"}},
        "split.n_repeats",
        "shuffle: true",
    ),
    ({"split": {"n_repeats": 2, "method": "time_series"}}, "split.n_repeats", "set it to 1"),
    ({"split": {"method": "kfolds"}}, "split.method", "did you mean kfold? or module:Class"),
    ({"split": {"method": ":Class"}}, "split.method", "or module:Class"),
    ({"model": {"builder": "build"}}, "model.builder", "write both"),
    ({"model": {"builder": 5}}, "model.builder", "must be text"),
    ({"model": {"params": {"a": {1, 2}}}}, "model.params", "must hold plain values"),
    ({"model": {"params": {"a": float("nan")}}}, "model.params", "must hold plain values"),
    ({"train": {"epochs": 0}}, "train.epochs", "must be at least 1"),
    ({"train": {"batch_size": 2.5}}, "train.batch_size", "must be a whole number"),
    ({"train": {"learning_rate": 0}}, "train.learning_rate", "must be greater than 0"),
    (
        {"train": {"learning_rate": "fast"}},
        "train.learning_rate",
        "neither a number nor a schedule",
    ),
    ({"train": {"scaler": "standart"}}, "train.scaler", "did you mean standard?"),
    ({"train": {"class_weight": "balance"}}, "train.class_weight", "'balanced' or a mapping"),
    ({"train": {"class_weight": {"a": -1}}}, "train.class_weight", "at least 0"),
    (
        {"train": {"early_stopping": {"fraction": 1.0}}},
        "train.early_stopping.fraction",
        "less than 1",
    ),
    ({"metrics": 5}, "metrics", "'auto' or"),
    ({"metrics": []}, "metrics", "leave it out to take the default"),
    ({"metrics": ["r2", "r2"]}, "metrics", "name each metric once"),
    ({"compute": {"workers": 0}}, "compute.workers", "at least 1"),
    ({"compute": {"workers": "many"}}, "compute.workers", "'auto' or a whole number"),
    ({"compute": {"address": "here:1"}}, "compute.address", "compute.engine to dask or ray"),
    ({"compute": {"device": "tpu"}}, "compute.device", "did you mean"),
    ({"compute": {"fold_timeout": 0}}, "compute.fold_timeout", "must be greater than 0"),
    ({"compute": {"retries": -1}}, "compute.retries", "must be at least 0"),
]

FILES = [
    (data("iri"), "data.source", "did you mean iris?"),
    (data("none.csv"), "data.source", "check the path"),
    (data("a" * 3000 + ".csv"), "data.source", "check the path"),
    (data("note.txt"), "data.source", "a .csv, .tsv or .tab file"),
    (data("bare"), "data.source", "holds no .parquet file; check the path"),
    (data("nope://a/b.csv"), "data.source", "begins with none of file://, s3://"),
    (data("file:///none/a.csv"), "data.source", "No such file"),
    (data("memory:0"), "data.source", "save them as an npz file"),
    (data("empty.csv"), "data.source", "Empty CSV file"),
    (data("header.csv"), "data.source", "give some samples"),
    (data("ragged.csv"), "data.source", "Expected 3 columns, got 2"),
    (data("twice.csv"), "data.source", "'a' stands there 2 times; rename one"),
    (data("index.csv"), "data.source", "Save the file without it"),
    (data("latin.csv", csv={"encoding": "utf-8"}), "data.csv.encoding", "such as cp1252"),
    (data("semicolon.csv", csv={"delimiter": ","}), "data.target", "data.csv.delimiter to ';'"),
    (data("good.csv", target=None), "data.target", "name the column to predict"),
    (data("good.csv", target="Y"), "data.target", "use one of a, b, g, w, y"),
    (data("good.csv", drop=["z"]), "data.drop", "use one of a, b, g, w, y"),
    (data("good.csv", groups="y"), "data.groups", "give it one role"),
    (data("good.csv", features=["a", "a"]), "data.features", "give it one role"),
    (data("target.csv"), "data.features", "drop fewer columns"),
    (
        data("nan.csv", preprocess="nothing"),
        "data.preprocess",
        "unknown 'nothing'; use one of auto",
    ),
    (data("nan.csv", preprocess=[]), "data.preprocess", "write none to do nothing"),
    (data("nan.csv", preprocess="no.where"), "data.preprocess", "write no:where"),
    (data("inf.csv"), "data.features", "column 'a': 1 of 2 values are infinite as float32; drop"),
    (data("gaps.csv", drop=["g", "w"]), "data.target", "remove those rows"),
    (data("gaps.csv", target="a", drop=["y", "w"], groups="g"), "data.groups", "remove those rows"),
    (data("gaps.csv", target="a", drop=["y", "g"], weights="w"), "data.weights", "give each row"),
    (data("negative.csv", weights="w"), "data.weights", "give each row a number from 0 up"),
    (data("zero.csv", weights="w"), "data.weights", "give some rows a weight"),
    (data("words.csv", weights="w"), "data.weights", "weights must be numbers"),
    (data("constant.csv"), "data.target", "two are needed"),
    (data("fake.parquet"), "data.source", "cannot read 'fake.parquet'"),
    (data("empty.parquet"), "data.source", "give some samples"),
    (data("lists.parquet"), "data.target", "give numbers or text"),
    (data("dates.parquet"), "data.target", "give numbers, booleans or text"),
    (data("index.parquet"), "data.features", "put it in data.drop"),
    (data("fake.npz"), "data.source", "write it with numpy.savez"),
    (data("objects.npz"), "data.source", "write it with numpy.savez"),
    (data("no_y.npz"), "data.source", "write X and y with numpy.savez"),
    (data("no_x.npz"), "data.source", "write X and y with numpy.savez"),
    (data("flat.npz"), "X", "needs rows and features"),
    (data("none.npz"), "X", "is empty"),
    (data("words.npz"), "X", "features must be numbers"),
    (data("short.npz"), "y", "needs one value for each of the 12 rows"),
    (data("complex.npz"), "data.target", "give numbers, booleans or text"),
    (data("huge.npz"), "data.target", "scale them down"),
    (data("good.npz", groups="g"), "data.groups", "leave it out or use a table"),
    (data("good.csv", positive=2), "data.positive", "use 0 or 1"),
    (data("classes.csv", positive="no"), "data.positive", "leave it out"),
    (data("classes.csv", task="binary"), "data.task", "use multiclass"),
    (data("classes.csv", task="regression"), "data.task", "leave it at auto"),
    (data("numbers.csv", task="binary"), "data.task", "use regression"),
    (data("numbers.csv", positive=1), "data.positive", "leave it out"),
]

SPLITS = [
    (split("good.csv", n_splits=7), "split.n_splits", "use fewer folds or method kfold"),
    (split("numbers.csv", n_splits=13), "split.n_splits", "use fewer"),
    (split("numbers.csv", method="stratified_kfold"), "split.method", "use kfold"),
    (split("good.csv", method="group_kfold"), "data.groups", "needs the column of the groups"),
    ({**data("good.csv", groups="g"), "split": {"n_splits": 5}}, "split.n_splits", "use at most 4"),
    (
        {**data("good.csv", groups="g"), "split": {"method": "kfold"}},
        "split.method",
        "use group_kfold",
    ),
    (split("rare.csv", method="kfold", n_splits=3), "split.method", "use stratified folds"),
    (split("numbers.csv", method="nothing:Here"), "split.method", "from the working directory"),
    (split("numbers.csv", method="own:NoFit"), "split.method", "use another one"),
    (split("numbers.csv", method="own:Needs"), "split.method", "give its arguments defaults"),
    (split("numbers.csv", method="own:Missing"), "split.method", "check the name"),
    (
        split("numbers.csv", method="predefined", fold_column="z"),
        "split.fold_column",
        "use one of a",
    ),
    (split("numbers.csv", method="predefined", fold_column="y"), "split.fold_column", "one role"),
    (split("good.npz", method="predefined", fold_column="f"), "split.fold_column", "use a table"),
]

REST = [
    ({"metrics": ["roc_au"]}, "metrics", "did you mean roc_auc?"),
    ({"metrics": ["nothing like it"]}, "metrics", "see sklearn.metrics.get_scorer_names"),
    ({"metrics": ["r2"], "data": "iris"}, "metrics", "the usual ones are accuracy"),
    ({"metrics": ["sensitivity"], "data": "diabetes"}, "metrics", "the usual ones are neg_root"),
    (
        {"data": "diabetes", "train": {"class_weight": "balanced"}},
        "train.class_weight",
        "leave it out",
    ),
    (
        {"data": "iris", "train": {"class_weight": {"setosa": 1}}},
        "train.class_weight",
        "give it one",
    ),
    ({"data": "blobs", "train": {"class_weight": {"2": 1}}}, "train.class_weight", "use 0, 1"),
    ({"model": "nothing_here:build"}, "model.builder", "looked for from the working directory"),
    ({"model": "broken:build"}, "model.builder", "line 1 of broken.py is not Python"),
    ({"train": {"scaler": "nothing_here:Scaler"}}, "train.scaler", "from the working directory"),
    ({"train": {"scaler": "fails:Scaler"}}, "train.scaler", "RuntimeError: two"),
    ({"train": {"scaler": "own:NoFit"}}, "train.scaler", "give a transformer"),
    ({"train": {"scaler": "own:Needs"}}, "train.scaler", "without arguments"),
    ({"train": {"scaler": "math:pi"}}, "train.scaler", "check the name"),
]


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    ("settings", "field", "remedy"),
    [*CONFIGURATION, *FILES, *SPLITS, *REST],
    ids=lambda value: repr(value)[:60] if isinstance(value, dict) else "",
)
def test_wrong_input_is_one_line(settings: dict[str, Any], field: str, remedy: str) -> None:
    with pytest.raises(InputError) as caught:
        ask(settings)
    message = str(caught.value)
    assert message.startswith(f"{field}: ")
    assert remedy in message
    assert len(message.splitlines()) == 1
    assert "Traceback" not in message


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    "settings",
    [
        split("good.csv", n_splits=3),
        split("numbers.csv", method="predefined", fold_column="f"),
        {**data("good.csv", groups="g", weights="w", drop=["b"]), "split": {"n_splits": 4}},
        split("good.npz", n_splits=2),
        {"data": "iris", "metrics": ["accuracy"], "train": {"class_weight": "balanced"}},
    ],
    ids=str,
)
def test_the_same_steps_pass_with_sound_input(settings: dict[str, Any]) -> None:
    ask(settings)


def run(arguments: list[str], folder: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CV), *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"TMPDIR": str(scratch)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def users_of(folder: Path) -> list[psutil.Process]:
    """Return the processes that work in a folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            is_other = process.pid != os.getpid() and Path(process.cwd()) == folder
            found += [process] if is_other else []
    return found


PROCESSES = [
    (["--sed", "1"], "--sed: unknown flag; did you mean --seed?"),
    (["--train.epochs", "0"], "train.epochs: must be at least 1, not 0"),
    (["--config", "none.yaml"], "--config: cannot read 'none.yaml' (No such file or directory)"),
    (
        ["--config", "{files}/note.txt"],
        "--config: '{files}/note.txt' holds a str; write NAME: VALUE",
    ),
    (
        ["--config", "{files}/bomb.yaml"],
        "--config: holds more than 100000 values; repeat fewer anchors",
    ),
    (["--only", "3"], "--only: '3' is not REPEAT/FOLD; both count from 0, such as 0/3"),
    (["--data.source", "none.csv"], "data.source: no file or folder 'none.csv'; check the path"),
    (
        ["--data.source", "/dev/zero"],
        "data.source: '/dev/zero' is a pipe or device; save the data in a file",
    ),
    (
        ["--model", "nothing:build"],
        "model.builder: no module 'nothing'; it is looked for from the working directory",
    ),
    (
        ["--train.scaler", "math:pi"],
        "train.scaler: module 'math' has no class 'pi'; check the name",
    ),
    (
        ["--out", "{files}/note.txt/out"],
        "out: '{files}/note.txt' is no folder; choose another",
    ),
    (
        ["--data.source", "{files}/inf.csv", "--data.target", "y", "--model", ESTIMATOR],
        "data.features: column 'a': 1 of 2 values are infinite as float32; drop the column or "
        "those rows",
    ),
]


@pytest.mark.parametrize(("arguments", "problem"), PROCESSES, ids=lambda value: str(value)[:40])
def test_process_refuses_in_one_line_and_leaves_nothing(
    here: Path, tmp_path: Path, files: Path, arguments: list[str], problem: str
) -> None:
    scratch = Path(tempfile.mkdtemp(dir="/tmp"))
    done = run([argument.format(files=files) for argument in arguments], here, scratch)
    assert done.stderr == problem.format(files=files) + "\n"
    assert (done.returncode, done.stdout) == (2, "")
    assert [*here.iterdir(), *scratch.iterdir()] == []
    scratch.rmdir()
    assert users_of(here) == []
