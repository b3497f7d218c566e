"""Files, folders and code that are worse than wrong: still one line, and nothing left behind."""

import gzip
import io
import os
import struct
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.text import one_line
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.data.dataset import prepare_data
from foldproof.tasks.folds.split.plan import plan_folds
from foldproof.tasks.run.current_run import launched
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display
from foldproof.tasks.workers.slots import Slots
from tests.support.inputs import X, Y, ask, data, split

NOBODY = 65534
GOOD = "a,b,g,y\n" + "".join(f"{i},{i * i},{i % 4},{i % 2}\n" for i in range(12))
SPLITTER = "class {}:\n    def __init__(self, n_splits=2): pass\n"
DIVIDES = "    def split(self, X, y=None, groups=None): {}\n"
YIELDS = {
    "Raises": "raise RuntimeError('two\\nlines')",
    "Leaves": "raise SystemExit(7)",
    "Nothing": "return iter(())",
    "NoIterator": "return None",
    "Outside": "yield [0, 1], [99]",
    "Negative": "yield [0, 1], [-1]",
    "Overlap": "yield [0, 1, 2], [2, 3]",
    "Words": "yield ['a'], ['b']",
    "Fractions": "yield [0.5], [1.5]",
    "Alone": "yield [0, 1, 2]",
    "NoTest": "yield [0, 1, 2], []",
    "Masks": "yield [True] * 6 + [False] * 6, [False] * 6 + [True] * 6",
    "Endless": "\n        while True: yield [0, 1, 2, 3], [4, 5]",
}
CODE = {
    "odd.py": "".join(SPLITTER.format(n) + DIVIDES.format(b) for n, b in YIELDS.items()),
    "scalers.py": "class Raises:\n    def __init__(self): raise RuntimeError('a\\nb')\n"
    "class Leaves:\n    def __init__(self): raise SystemExit(3)\nfive = 5\n",
    "leaves.py": "import sys\nsys.exit(3)\n",
    "raises.py": "raise RuntimeError('two\\nlines')\n",
    "coded.py": "# -*- coding: nope -*-\n",
    "models.py": """
import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
five = 5
def raises(): raise RuntimeError('two\\nlines')
def slips(inputshape): return LogisticRegression(max_iter=inputshape)
def breaks_below(): return np.fromiter('x', float)
def leaves(): raise SystemExit(3)
def kills(): import os; os.kill(os.getpid(), 9)
def nothing(): return None
def text(): return 'model'
def kind(): return LogisticRegression
def fitted(): return LogisticRegression().fit([[0.0], [1.0]], [0, 1])
def regressor(): return Ridge()
def needs(size): return LogisticRegression(max_iter=size)
""",
}


def npy(header: str, body: bytes = b"") -> bytes:
    """Return an npy file with any header."""
    line = header.encode()
    line += b" " * (-(10 + len(line) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(line)) + line + body


def array(value: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, value)
    return file.getvalue()


def npz(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)


def header(shape: str) -> str:
    return f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"


def make_npz(folder: Path) -> None:
    y, zeros = array(Y), b"\0" * 80
    shapes = {"huge": "(100000000000, 10)", "minus": "(-1, 10)", "overflow": f"({2**62}, 4)"}
    for name, shape in shapes.items():
        npz(folder / f"{name}.npz", X=npy(header(shape), zeros), y=y)
    npz(folder / "code.npz", X=npy("__import__('os').system('touch pwned')"), y=y)
    npz(folder / "empty_member.npz", X=b"", y=y)
    npz(folder / "records.npz", X=array(X), y=array(np.zeros(12, dtype=[("a", "f8")])))
    npz(folder / "surrogates.npz", X=array(X), y=array(np.array(["a\ud800", "b"] * 6)))
    np.savez(folder / "whole.npz", X=X, y=Y)
    content = (folder / "whole.npz").read_bytes()
    (folder / "cut.npz").write_bytes(content[: len(content) // 2])
    _pretend_size(folder / "bomb.npz", content)


def _pretend_size(path: Path, content: bytes) -> None:
    """Let the archive's directory say that an array unpacks to 4 GB, a thousand times over."""
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(1000):
            archive.writestr(f"{index}.npy", b"")
        for member in archive.filelist:
            member.file_size = 2**32 - 2


def make_parquet(folder: Path) -> None:
    parquet.write_table(pa.table({"a": list(range(1000)), "y": [0, 1] * 500}), folder / "p.parquet")
    content = (folder / "p.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(content[: len(content) // 2])
    (folder / "hole.parquet").write_bytes(content[:100] + content[200:])
    damaged = bytes(b ^ 0x5A if 4 < i < len(content) - 8 else b for i, b in enumerate(content))
    (folder / "damaged.parquet").write_bytes(damaged)
    double = pa.Table.from_arrays([pa.array([1, 2])] * 2 + [pa.array([0, 1])], ["a", "a", "y"])
    parquet.write_table(double, folder / "double.parquet")
    parquet.write_table(
        pa.table({"a\nb": [float("inf")] * 4, "y": [0, 1] * 2}), folder / "lines.parquet"
    )
    for name, column in {"1": [1.0], "2": ["x"]}.items():
        (folder / "mixed").mkdir(exist_ok=True)
        parquet.write_table(pa.table({"a": column, "y": [0]}), folder / "mixed" / f"{name}.parquet")


def make_csv(folder: Path) -> None:
    (folder / "good.csv").write_text(GOOD)
    (folder / "garbage.csv").write_bytes(np.random.default_rng(0).bytes(5000))
    (folder / "nul.csv").write_bytes(b"a,y\n1\x00,0\n2,1\n")
    (folder / "nul_name.csv").write_bytes(b"a\x00,y\ninf,0\n2,1\n")
    (folder / "cut.csv.gz").write_bytes(gzip.compress(GOOD.encode() * 50)[:60])
    (folder / "plain.csv.gz").write_text(GOOD)
    (folder / "lines.csv").write_text('"a\nb",y\ninf,0\n2,1\n')
    (folder / "quote.csv").write_text('a,y\n"1,0\n2,1\n')
    wide = ",".join(f"c{i}" for i in range(5000))
    (folder / "wide.csv").write_text(f"{wide},y\n" + f"{',' * 5000}0\n{',' * 5000}1\n")
    (folder / "one_fold.csv").write_text("a,f,y\n" + "".join(f"{i},0,{i % 2}\n" for i in range(9)))


def make_places(folder: Path) -> None:
    os.mkfifo(folder / "pipe.csv")
    (folder / "dangling.csv").symlink_to("gone.csv")
    (folder / "loop.csv").symlink_to("loop.csv")
    (folder / "folder.csv").mkdir()
    (folder / "folder.npz").mkdir()
    for name, text in CODE.items():
        (folder / name).write_text(text)
    (folder / "nul.py").write_bytes(b"a = 1\x00\n")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    for make in (make_npz, make_parquet, make_csv, make_places):
        make(folder)
    return folder


@pytest.fixture
def working(files: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(files)
    before = set(os.listdir(files))
    yield files
    assert set(os.listdir(files)) - before <= {"__pycache__"}


def refused(settings: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        ask(settings)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert message.isprintable()
    assert len(message) < 1000
    return message


COLUMNS = [f"none{i}" for i in range(5000)]
FILES = [
    (data("pipe.csv"), "data.source", "is a pipe or device; save the data in a file"),
    (data("/dev/zero"), "data.source", "is a pipe or device; save the data in a file"),
    (data("dangling.csv"), "data.source", "is a link to nothing; check the path"),
    (data("loop.csv"), "data.source", "is a link to nothing; check the path"),
    (data("folder.csv"), "data.source", "is a directory; check the path"),
    (data("folder.npz"), "data.source", "is a directory; check the path"),
    (data("a\0b.csv"), "data.source", "must hold no NUL character"),
    (data("\ud800.csv"), "data.source", "can be written as UTF-8"),
    (data("a" * 5000 + ".csv"), "data.source", "check the path"),
    (data("garbage.csv"), "data.source", "Expected 1 columns, got 3, in"),
    (data("nul.csv"), "data.features", "column 'a': 1 of 2 values are text, such as '1\\x00'"),
    (data("nul_name.csv"), "data.features", "column 'a\\x00': 1 of 2 values are inf"),
    (data("cut.csv.gz"), "data.source", "Truncated compressed stream; check that"),
    (data("plain.csv.gz"), "data.source", "check that the file is whole"),
    (data("lines.csv"), "data.features", "column 'a\\nb': 1 of 2 values are inf"),
    (data("quote.csv"), "data.source", "close the quote in it"),
    (data("wide.csv"), "data.features", "no column has a value"),
    (data("good.csv", features=COLUMNS), "data.features", "no column 'none0'; use one of a, b"),
    (data("good.csv", drop=COLUMNS), "data.drop", "no column 'none0'; use one of a, b, g, y"),
    (data("cut.parquet"), "data.source", "check that the file is whole"),
    (data("hole.parquet"), "data.source", "check that the file is whole"),
    (data("damaged.parquet"), "data.source", "check that the file is whole"),
    (data("double.parquet"), "data.source", "column 'a' stands there 2 times; rename one"),
    (data("lines.parquet"), "data.features", "column 'a\\nb': 4 of 4 values are inf"),
    (data("mixed"), "data.source", "Failed to parse string: 'x'"),
    (data("cut.npz"), "data.source", "write it with numpy.savez"),
    (data("huge.npz"), "data.source", "write it with numpy.savez"),
    (data("minus.npz"), "data.source", "write it with numpy.savez"),
    (data("overflow.npz"), "data.source", "write it with numpy.savez"),
    (data("code.npz"), "data.source", "write it with numpy.savez"),
    (data("empty_member.npz"), "data.source", "X in it is no array; write X and y with"),
    (data("bomb.npz"), "data.source", "unpacks to 4295 GB, but this machine has"),
    (data("records.npz"), "data.target", "give numbers, booleans or text"),
    (data("surrogates.npz"), "data.target", "cannot be written as UTF-8; give other labels"),
]
CODE_OF_THE_USER = [
    (split("good.csv", method="odd:Raises"), "split.method", "(two); use another one"),
    (split("good.csv", method="odd:Leaves"), "split.method", "(7); use another one"),
    (split("good.csv", method="odd:Nothing"), "split.method", "let split yield some"),
    (split("good.csv", method="odd:NoIterator"), "split.method", "use another one"),
    (split("good.csv", method="odd:Outside"), "split.method", "outside 0 to 11; leave them out"),
    (split("good.csv", method="odd:Negative"), "split.method", "outside 0 to 11; leave them out"),
    (split("good.csv", method="odd:Overlap"), "split.method", "trains on rows that it tests"),
    (split("good.csv", method="odd:Words"), "split.method", "let split yield the numbers of rows"),
    (split("good.csv", method="odd:Fractions"), "split.method", "holds float64; let split yield"),
    (split("good.csv", method="odd:Alone"), "split.method", "is no pair of row numbers"),
    (split("good.csv", method="odd:NoTest"), "split.method", "has no test rows"),
    (split("good.csv", method="odd:Masks"), "split.method", "holds bool; let split yield"),
    (split("good.csv", method="leaves:Split"), "split.method", "(SystemExit: 3)"),
    (split("good.csv", method="raises:Split"), "split.method", "(RuntimeError: two)"),
    (split("good.csv", method="nul:Split"), "split.method", "cannot contain null bytes"),
    (split("good.csv", method="coded:Split"), "split.method", "unknown encoding: nope"),
    (split("good.csv", method="a b:Split"), "split.method", "from the working directory"),
    (split("good.csv", method="json:loads"), "split.method", "give its arguments defaults"),
    (split("one_fold.csv", method="predefined", fold_column="f"), "split.fold_column", "two folds"),
    ({"train": {"scaler": "scalers:Raises"}}, "train.scaler", "without arguments (a b)"),
    ({"train": {"scaler": "scalers:Leaves"}}, "train.scaler", "without arguments (3)"),
    ({"train": {"scaler": "scalers:five"}}, "train.scaler", "check the name"),
    ({"train": {"scaler": "leaves:Scaler"}}, "train.scaler", "(SystemExit: 3)"),
    ({"model": "nul:build"}, "model.builder", "nul.py is not Python"),
    ({"model": "coded:build"}, "model.builder", "coded.py is not Python: unknown encoding"),
    ({"model": "..models:build"}, "model.builder", "no module '..models'"),
    ({"model": "x" * 5000 + ":build"}, "model.builder", "from the working directory"),
    ({"model": "a@b:build"}, "model.builder", "put it in a module"),
]
LIMITS = [
    ({"out": "a\0b"}, "out", "must hold no NUL character"),
    ({"out": "\ud800"}, "out", "can be written as UTF-8"),
    ({"out": "ftp://host/reports"}, "out", "ftp:// is unknown; choose a folder, or one of s3://"),
    ({"split": {"n_splits": 10**12}}, "split.n_splits", "must be at most 32768"),
    ({"split": {"n_repeats": 10**12}}, "split.n_repeats", "must be at most 32768"),
    ({"train": {"epochs": 10**30}}, "train.epochs", "must be at most 2147483647"),
    ({"compute": {"workers": 10**9}}, "compute.workers", "at most 1024"),
    ({"compute": {"threads": 10**9}}, "compute.threads", "must be at most 1024"),
    ({"compute": {"fold_timeout": 1e300}}, "compute.fold_timeout", "must be at most 1000000000"),
    ({"seed": 10**400}, "seed", "must be less than 2147483648, not 1000"),
    ({"model": {"params": {"\ud800": 1}}}, "model.params", "must hold plain values"),
    ({"data": {"\ud800": 1}}, "data", "can be written as UTF-8"),
    ({"metrics": ["a\nb"]}, "metrics", "unknown 'a\\nb'"),
    (
        {"train": {"class_weight": {"malignant": 0, "benign": 0}}},
        "train.class_weight",
        "give some label a weight",
    ),
]


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(
    ("settings", "field", "remedy"),
    [*FILES, *CODE_OF_THE_USER, *LIMITS],
    ids=lambda value: ascii(value)[:60] if isinstance(value, dict) else "",
)
def test_hostile_input_is_one_line(settings: dict[str, Any], field: str, remedy: str) -> None:
    message = refused(settings)
    assert message.startswith(f"{field}: ")
    assert remedy in message


@pytest.mark.usefixtures("working")
def test_an_endless_splitter_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foldproof.tasks.folds.split.plan.MAX_FOLDS", 20)
    study = parse_study(split("good.csv", method="odd:Endless"))
    dataset = prepare_data(study.data, None, tmp_path)
    with pytest.raises(InputError) as caught:  # in this process, where the bound is low
        plan_folds(dataset, study.split, study.seed, tmp_path)
    message = str(caught.value)
    assert message == "split.method: odd:Endless makes more than 20 folds; use another one"


def test_parameters_may_not_be_endless() -> None:
    loop: dict[str, Any] = {}
    loop["again"] = loop
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert "must hold plain values" in refused({"model": {"params": loop}})
    assert "must hold plain values" in refused({"model": {"params": deep}})


@contextmanager
def not_as_root() -> Iterator[None]:
    """Be nobody for a while: root may read and write everything."""
    if os.getuid():
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def open_to_all(folder: Path) -> None:
    """Let everybody into a folder of a test, but change none outside of them."""
    temporary = Path(tempfile.gettempdir())
    for own in (folder, *folder.parents):
        if own.is_relative_to(temporary) and own != temporary:
            own.chmod(0o755)


@pytest.mark.parametrize("source", ["data.csv", "data.npz", "folder"])
def test_a_source_without_permission_is_refused(here: Path, source: str) -> None:
    path = here / source
    if source == "folder":
        path.mkdir()
    else:
        path.write_text(GOOD)
    path.chmod(0)
    open_to_all(here)
    with not_as_root():
        message = refused(data(source))
    assert message == f"data.source: may not read {source!r}; ask for its permission"


OUTS = [
    ("file", "is no folder; choose another"),
    ("file/below", "is no folder; choose another"),
    ("/dev/null", "is no folder; choose another"),
    ("a" * 300, "is no path (file name too long); choose another"),
    ("a/" * 3000, "is no path (file name too long); choose another"),
    ("sealed", "permission denied); choose another folder"),
    ("sealed/below", "permission denied); choose another folder"),
]


@pytest.mark.parametrize(("out", "remedy"), OUTS, ids=lambda value: value[:20])
def test_an_impossible_out_is_refused_before_anything_starts(
    here: Path, out: str, remedy: str
) -> None:
    (here / "file").touch()
    (here / "sealed").mkdir(mode=0o555)
    before = sorted(os.listdir(here))
    open_to_all(here)
    run = Run(parse_study({"out": out}), Display("quiet"))
    with launched(run), not_as_root(), pytest.raises(InputError) as caught:
        run.begin()
    assert str(caught.value).isprintable()
    assert str(caught.value).startswith("out: ")
    assert remedy in str(caught.value)
    assert sorted(os.listdir(here)) == before


def test_an_out_that_is_a_loop_of_links_is_refused(here: Path) -> None:
    (here / "loop").symlink_to("loop")
    with pytest.raises(InputError, match=r"^out: .*; choose another folder$"):
        Run(parse_study({"out": "loop/below"}), Display("quiet")).begin()


BUILDERS = [
    ("models:missing", "has no 'missing'; use one of"),
    ("models:five", "is a int; give a function"),
    ("models:five.real.nothing", "has no 'nothing'; "),
    (
        "models:raises",
        "models:raises failed (RuntimeError: two) in models.py, line 5; "
        "--verbose shows the traceback",
    ),
    (
        "models:breaks_below",
        "models:breaks_below failed (ValueError: could not convert string to float: 'x') "
        "in models.py, line 7; --verbose shows the traceback",
    ),
    ("models:leaves", "models:leaves failed (SystemExit: 3)"),
    ("models:nothing", "returned nothing; return a keras.Model or an estimator"),
    ("models:text", "returned a str; return a keras.Model or an estimator"),
    ("models:kind", "returned a type; return a keras.Model or an estimator"),
    ("models:regressor", "Ridge is no classifier, but the task is binary"),
    (
        "models:needs",
        "model.params.size: missing; the builder needs it; give --model.params '{\"size\": ...}'",
    ),
    (
        "models:slips",
        "model.params.inputshape: missing; the builder needs it; did you mean input_shape, "
        "which it is handed? Else --model.params '{\"inputshape\": ...}'",
    ),
    ("leaves:build", "cannot import 'leaves' (SystemExit: 3)"),
    ("raises:build", "cannot import 'raises' (RuntimeError: two lines)"),
    ("sys:exit", "sys:exit failed (SystemExit); --verbose shows the traceback"),
    ("sklearn.linear_model:LogisticRegresion", "did you mean LogisticRegression?"),
    ("sklearn:linear_model", "is a module; give a function"),
    ("models:kills", "ended the worker process that called it"),  # last: the next one would wait
]


@pytest.mark.usefixtures("working")
@pytest.mark.parametrize(("builder", "problem"), BUILDERS)
def test_a_wrong_builder_is_one_line(
    tmp_path: Path, light: Slots, builder: str, problem: str
) -> None:
    given = {"model": builder, "data": DataSpec.from_arrays(X, Y), "out": str(tmp_path)}
    given["split"] = {"n_splits": 2}
    run = Run(parse_study(given), Display("quiet"), slots=light)
    with launched(run), pytest.raises(InputError) as caught:
        run.check()
    message = str(caught.value)
    assert message.startswith("model.")
    assert problem in message
    assert one_line(message) == message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\r\n c\t d", "a b c d"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("größe 日本", "größe 日本"),
        ("\u202etxt", "\\u202etxt"),
        ("\ud800", "\\ud800"),
        ("", ""),
    ],
)
def test_messages_are_one_line_that_a_terminal_can_show(text: str, expected: str) -> None:
    assert one_line(text) == expected
    assert str(InputError("field", text)) == f"field: {expected}"


def test_long_messages_keep_both_ends() -> None:
    line = one_line("begin" + "x" * 5000 + "remedy")
    assert line.startswith("begin")
    assert line.endswith("remedy")
    assert len(line) == 800
