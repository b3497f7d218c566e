"""A report from somebody else names code and data: neither is touched by verifying it."""

import os
import pty
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from foldproof.tasks.common.digest import digest_text
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.named.keras_parts import CALLBACK_NAMES
from foldproof.tasks.user_code import search_path
from tests.support.command import run
from tests.support.forging import change_key, name_code, name_source, verified
from tests.support.places import ROOT
from tests.support.reports import finish

VERIFY = [sys.executable, str(ROOT / "flows" / "verify.py")]
SETTINGS = ["model.builder", "split.method", "train.scaler"]
HARMLESS = ("EarlyStopping", "ReduceLROnPlateau", "TerminateOnNaN")
OF_TRAINING = ["train.callbacks", "train.optimizer", "train.loss", "train.learning_rate"]
OF_TRAINING += ["train.metrics", "metrics"]
OWN = """
from os import system
import os
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

open("imported", "a").close()
alias = os.system


def build(command=None):
    return LogisticRegression(max_iter=500)


class Scaler(StandardScaler):
    pass


class Splitter:
    def split(self, X, y=None, groups=None):
        rows = np.arange(len(X))
        for start in range(2):
            yield rows[rows % 2 != start], rows[rows % 2 == start]

    def get_n_splits(self, X=None, y=None, groups=None):
        return 2
"""
CSV = "a,b,y\n" + "".join(f"{i % 7},{i * 5 % 11},{i % 2}\n" for i in range(40))


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    """A real report of an estimator on a bundled data set."""
    return finish(tmp_path_factory.mktemp("sound")).path


@pytest.fixture
def forged(sound, here) -> Path:
    """A copy to forge, and a working directory with what an attack would destroy or make."""
    (here / "precious").mkdir()
    (here / "mine.py").write_text(OWN)
    (here / "private.pkl").write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    return Path(shutil.copytree(sound, here / "report"))


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> tuple[Path, Path]:
    """The folder of a study whose builder, scaler and splitter are its own, and its report."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "ours.py").write_text(OWN)
    code: dict[str, Any] = {"model": "ours:build", "split": {"method": "ours:Splitter"}}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        made = finish(folder / "out", **code, train={"scaler": "ours:Scaler"}).path
    sys.modules.pop("ours")
    (folder / "imported").unlink()
    return folder, made


def refused(report: Path, **more) -> str:
    """Verify in this process; return the one line, and see that nothing was done."""
    before = set(sys.modules)
    with pytest.raises(InputError) as caught:
        verified(report, **more)
    assert len(str(caught.value).splitlines()) == 1
    assert {"mine", "this", "joblib.test"}.isdisjoint(set(sys.modules) - before)
    assert untouched(Path.cwd())
    return str(caught.value)


def untouched(folder: Path) -> bool:
    there = {path.name for path in folder.iterdir()}
    return there.isdisjoint({"pwned", "imported"}) and "precious" in there


NOT_YOURS = "which is neither built in nor a source of yours"
NO_ESTIMATOR = "is no estimator of scikit-learn; name one"
ATTACKS = [
    ("os:system", {"command": "touch pwned"}, NOT_YOURS),
    ("subprocess:run", {"args": ["touch", "pwned"]}, NOT_YOURS),
    ("shutil:rmtree", {"path": "precious"}, NOT_YOURS),
    ("this:s", {}, NOT_YOURS),
    ("joblib:load", {"filename": "private.pkl"}, NOT_YOURS),
    ("numpy:savetxt", {"fname": "pwned", "X": [1]}, NOT_YOURS),
    ("pandas:read_pickle", {"filepath_or_buffer": "private.pkl"}, NOT_YOURS),
    ("foldproof.tasks.store.object_storage:is_remote", {"place": "x"}, NOT_YOURS),
    ("foldproof.tasks.store.scratch:remove_scratch", {"scratch": "precious"}, NOT_YOURS),
    ("flows.cv:cross_validate", {}, NOT_YOURS),
    ("nowhere:build", {}, "no module 'nowhere'"),
    (".mine:build", {}, NOT_YOURS),
    ("sklearn.datasets:fetch_openml", {"data_id": 61}, NO_ESTIMATOR),
    ("sklearn.datasets:clear_data_home", {"data_home": "precious"}, NO_ESTIMATOR),
    ("sklearn.utils._testing:SkipTest", {}, NO_ESTIMATOR),
    ("sklearn.linear_model:_base", {}, NO_ESTIMATOR),
    ("tasks.models:math", {}, "is not defined in tasks.models"),
    ("tasks.models:_image_shape", {"shape": [4]}, "is private to tasks.models"),
    ("mine:build", {}, "the source of 'mine' here is not the one of the report"),
    ("mine:build@0123", {}, "the source of 'mine' here is not the one of the report"),
]


@pytest.mark.parametrize("setting", [*SETTINGS, *OF_TRAINING])
@pytest.mark.parametrize(("reference", "params", "said"), ATTACKS)
def test_code_that_a_report_names_is_refused(forged, setting, reference, params, said):
    if setting == "model.builder" and "@" in reference:
        said = "was a function of another process"
    name_code(forged, setting, reference, **params)
    line = refused(forged)
    assert re.match(rf"{setting}(\[0\])?: ", line)
    assert said in line
    assert len(line) <= 200 + 2 * len(reference)


REFUSED_CALLBACKS = {
    "ModelCheckpoint": {"filepath": "pwned"},
    "BackupAndRestore": {"backup_dir": "pwned"},
    "CSVLogger": {"filename": "pwned"},
    "TensorBoard": {"log_dir": "pwned"},
    "RemoteMonitor": {"root": "http://127.0.0.1:9"},
    "LambdaCallback": {},
    "LearningRateScheduler": {"schedule": "os:system"},
    "SwapEMAWeights": {},
    "OrbaxCheckpoint": {"directory": "pwned"},
    "ProgbarLogger": {},
}


def test_callbacks_that_write_connect_or_call_are_refused(forged):
    assert {*REFUSED_CALLBACKS, *HARMLESS} == set(CALLBACK_NAMES)
    for name, params in REFUSED_CALLBACKS.items():
        name_code(forged, "train.callbacks", f"keras.callbacks:{name}", **params)
        line = refused(forged)
        assert line.startswith(f"train.callbacks[0]: the report names 'keras.callbacks:{name}', ")


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_callbacks_are_no_code(forged, name):
    """The report's own rows are of an estimator, which has none: that is said, nothing else."""
    name_code(forged, "train.callbacks", f"keras.callbacks:{name}")
    with pytest.raises(InputError, match=r"train\.callbacks: has no effect on an estimator"):
        verified(forged)
    hidden = {"class_name": "Lambda", "module": "keras.layers", "config": {}}
    name_code(forged, "train.callbacks", f"keras.callbacks:{name}", monitor=[hidden])
    assert refused(forged).startswith("train.callbacks: describes an object of Keras's")


def test_the_line_says_what_to_do(forged):
    name_code(forged, "model.builder", "os:system", command="touch pwned")
    assert refused(forged) == (
        "model.builder: the report names 'os:system', which is neither built in nor a source of "
        "yours; if you trust the report, give --trust-builder on the command line"
    )


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_command_ends_with_code_2_and_one_line(forged, setting):
    name_code(forged, setting, "os:system", command="touch pwned")
    ended = run([*VERIFY, str(forged)], Path.cwd())
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert ended.err.startswith(f"{setting}: the report names 'os:system', ")
    assert untouched(Path.cwd())


OURS = {
    "tests.support.command:run": (".", "tests/support/command.py"),
    "command:run": ("tests/support", "tests/support/command.py"),
    "object_storage:is_remote": ("tasks/store", "tasks/store/object_storage.py"),
    "tasks.store.object_storage:is_remote": (".", "tasks/store/object_storage.py"),
}


@pytest.mark.parametrize("name", OURS)
def test_foldproofs_own_modules_are_none_of_the_users(forged, monkeypatch, name):
    """Their sources are known to everybody, so any forger can name their digests."""
    folder, source = OURS[name]
    sources = {name.partition(":")[0]: digest_text((ROOT / source).read_text())}
    change_key(forged, lambda key: key["model"].update(sources=sources))
    name_code(forged, "model.builder", name, command=["touch", "pwned"], folder=".")
    with monkeypatch.context() as patch:
        patch.chdir(ROOT / folder)
        with pytest.raises(InputError, match="neither built in nor a source of yours"):
            verified(forged)
        assert not Path("pwned").exists()


def test_arguments_of_built_in_builders_are_data(forged):
    agglomeration = "sklearn.cluster:FeatureAgglomeration"
    name_code(forged, "model.builder", agglomeration, memory="pickles")
    assert refused(forged) == (
        "model.params.memory: names a folder whose pickles would be loaded; leave it out"
    )
    layer = {"class_name": "TextVectorization", "module": "keras.layers", "config": {}}
    name_code(forged, "model.builder", "tasks.models:mlp", activation=[layer])
    assert refused(forged) == (
        "model.params.activation: describes an object of Keras's; give a plain value, such as relu"
    )


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", ["system", "alias", "np", "LogisticRegression", "os.system"])
def test_a_known_module_is_no_way_to_what_it_imported(forged, setting, name):
    sources = {"mine": digest_text(OWN)}
    change_key(forged, lambda key: key["model"].update(sources=sources))
    name_code(forged, setting, f"mine:{name}", command="touch pwned")
    line = refused(forged)
    assert "is not defined in mine" in line or "has a dot" in line


def test_modules_of_the_users_whose_source_is_the_reports_are_run(own, monkeypatch):
    folder, report = own
    monkeypatch.chdir(folder)
    agrees, lines = verified(report)
    assert agrees, lines
    assert lines[-1] == "fold 0/0: identical"


def test_a_source_that_differs_is_not_run_without_trust(own, here, capsys):
    _, report = own
    shutil.copytree(report, here / "report")
    (here / "precious").mkdir()
    (here / "ours.py").write_text(OWN + "# other\n")
    line = refused(here / "report")
    assert line.startswith("split.method: the source of 'ours' here is not the one of the report")
    assert "'ours:Splitter'; if you trust the report, give --trust-builder" in line
    agrees, lines = verified(here / "report", trusted=True)
    assert agrees
    assert "environment and inputs: DIFFERENT" in lines
    assert (here / "imported").exists()


def test_nothing_is_imported_from_beside_a_report(forged):
    """Where no module of the user's is needed, workers start in an empty folder."""
    for name in ("pandas", "lz4", "psutil", "keras", "cloudpickle", "threadpoolctl"):
        Path(f"{name}.py").write_text("open('pwned', 'w').close()\n")
    agrees, lines = verified(forged)
    assert agrees, lines
    assert untouched(Path.cwd())
    with search_path.starting_in(Path("report")):
        assert search_path.import_folders()[0] == "report"
        assert str(Path.cwd()) not in search_path.import_folders()


@pytest.fixture(scope="module")
def csv_report(tmp_path_factory) -> tuple[Path, Path]:
    """A data file, and the report of a run on it."""
    folder = tmp_path_factory.mktemp("csv")
    (folder / "data.csv").write_text(CSV)
    data = {"source": str(folder / "data.csv"), "target": "y"}
    return folder / "data.csv", finish(folder / "out", data=data).path


@pytest.fixture
def csv_copy(csv_report, here) -> Path:
    return Path(shutil.copytree(csv_report[1], here / "report"))


def test_data_is_opened_where_the_user_says(csv_report, csv_copy):
    agrees, lines = verified(csv_copy, source=str(csv_report[0]))
    assert agrees, lines


def test_data_that_only_the_report_names_is_shown_first(csv_report, csv_copy):
    shown: list[str] = []

    def show(line: str) -> bool:
        shown.append(line)
        return True

    agrees, lines = verified(csv_copy, show=show)
    assert agrees, lines
    assert shown == [f"data: {str(csv_report[0])!r}, which the report names"]


def test_without_a_terminal_the_data_has_to_be_named(csv_report, csv_copy):
    ended = run([*VERIFY, str(csv_copy), "--folds", "1"], Path.cwd())
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"data.source: the report names {str(csv_report[0])!r}, and there is no terminal to show "
        "that; give your copy with --data.source\n"
    )


def test_a_terminal_shows_the_data_that_is_opened(csv_report, csv_copy):
    ours, theirs = pty.openpty()
    command = [*VERIFY, str(csv_copy), "--folds", "1"]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, timeout=300)
    os.close(theirs)
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, b"identical")
    shown = os.read(ours, 4096).decode()
    assert f"data: {str(csv_report[0])!r}, which the report names\r\n" in shown
    os.close(ours)


@pytest.mark.parametrize("kind", ["url", "pipe", "folder", "device", "missing", "nothing"])
def test_what_is_no_file_of_this_machine_is_never_opened(csv_copy, kind):
    os.mkfifo("pipe.csv")
    Path("folder").mkdir()
    Path("device.csv").symlink_to("/dev/zero")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"hdfs://127.0.0.1:{listener.getsockname()[1]}/data.csv"
        named = {"url": url, "pipe": "pipe.csv", "device": "device.csv", "nothing": ""}
        name_source(csv_copy, named.get(kind, kind))
        with pytest.raises(InputError) as caught:
            verified(csv_copy, show=lambda line: True)
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()
    line = str(caught.value)
    assert line.startswith("data.source: ")
    if kind != "nothing":
        assert f"the report names {named.get(kind, kind)!r}, which is no file of this" in line
        assert line.endswith("machine; give your copy with --data.source")


BROKEN = [
    lambda key: key.pop("compute"),
    lambda key: key.update(model=[]),
    lambda key: key["model"].update(sources=["x"]),
    lambda key: key["split"].update(settings={"method": 7}),
    lambda key: key.update(metrics=[["x"]]),
    lambda key: key["train"].update(class_weight={"a": "b"}),
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_a_key_that_is_none_is_one_line(forged, number):
    change_key(forged, BROKEN[number])
    with pytest.raises(InputError) as caught:
        verified(forged)
    assert len(str(caught.value).splitlines()) == 1


def test_files_outside_the_folder_pipes_and_escapes(forged):
    manifest = forged / "manifest.json"
    text = manifest.read_text().replace('"files": {', '"files": {"../../x\\u001b[2J": "0", ')
    manifest.write_text(text)
    agrees, lines = verified(forged)
    assert not agrees
    assert lines[1] == "  ../../x\\x1b[2J is not in the report's folder"
    manifest.unlink()
    os.mkfifo(manifest)
    with pytest.raises(InputError, match=r"holds no manifest\.json of a report"):
        verified(forged)


def test_a_table_that_is_none_of_a_report(forged):
    execution = forged / "execution.parquet"
    execution.unlink()
    os.mkfifo(execution)
    with pytest.raises(InputError, match=r"execution.parquet cannot be read \(it is no file\)"):
        verified(forged)
