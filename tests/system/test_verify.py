"""Finished runs are proved by refitting, and every way to forge one is named."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from pyarrow import parquet

from foldproof.tasks.common.digest import digest_file
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.report.finished import FinishedRun
from foldproof.tasks.verification.refit import changes, verify
from tests.support.command import cv, report_of, run
from tests.support.places import ROOT

VERIFY = [sys.executable, str(ROOT / "flows" / "verify.py")]
CSV = "a,b,y\n" + "".join(f"{i % 7},{i * 5 % 11},{i % 2}\n" for i in range(40))
PLATEAU = {
    "name": "keras.callbacks:ReduceLROnPlateau",
    "params": {"monitor": "loss", "patience": 0, "min_delta": 9},
}
LINEAR = ("--model", "sklearn.linear_model:LogisticRegression", "--split.n_splits", "4")


@pytest.fixture(scope="module")
def keras_run(tmp_path_factory, prefect_api) -> Path:
    """A real run of three folds, trained by the compiled engine."""
    folder = tmp_path_factory.mktemp("keras")
    flags = ("--split.n_splits", "3", "--train.epochs", "3", "--compute.workers", "1")
    callbacks = ("--train.callbacks", json.dumps([PLATEAU]))
    return report_of(cv(*flags, *callbacks, folder=folder, PREFECT_API_URL=prefect_api))


@pytest.fixture(scope="module")
def csv_run(tmp_path_factory, prefect_api) -> Path:
    """A run of an estimator on a file of its own, with the file beside its output folder."""
    folder = tmp_path_factory.mktemp("csv")
    (folder / "data.csv").write_text(CSV)
    flags = ("--data", "data.csv", "--data.target", "y", *LINEAR)
    return report_of(cv(*flags, folder=folder, PREFECT_API_URL=prefect_api))


@pytest.fixture
def forged(keras_run, tmp_path) -> Path:
    """A copy of the report, to forge."""
    return Path(shutil.copytree(keras_run, tmp_path / "copy"))


def change(report: Path, name: str, **columns) -> None:
    """Change the first row of a table, and let the manifest say that this is right."""
    table = parquet.read_table(report / name)
    for column, value in columns.items():
        values = [value, *table[column].to_pylist()[1:]]
        field = table.schema.field(column)
        table = table.set_column(table.column_names.index(column), field, [values])
    parquet.write_table(table, report / name)
    manifest = json.loads((report / "manifest.json").read_text())
    manifest["files"][name] = digest_file(report / name)
    (report / "manifest.json").write_text(json.dumps(manifest))


def verified(report: Path, folds: int | None = 0, level="bit", source=None) -> tuple[bool, str]:
    """Verify and return the verdict and all that was said."""
    lines: list[str] = []
    agrees = verify(FinishedRun.read(report), source, folds, level, lines.append)
    return agrees, "\n".join(lines)


def test_a_copied_report_is_identical_from_any_folder(keras_run, tmp_path):
    copy = shutil.copytree(keras_run, tmp_path / "elsewhere")
    ended = run([*VERIFY, str(copy), "--folds", "2"], tmp_path)
    assert ended.code == 0, ended.out + ended.err
    assert ended.out.splitlines() == [
        "files: as the manifest says",
        "certificates: each fold began anew",
        "metrics: follow from the predictions",
        "environment and inputs: as in the manifest",
        "fold 0/2: identical",
        "fold 0/0: identical",
        "identical",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]


def test_what_has_parameters_is_told_as_it_was_typed_and_read_again(keras_run):
    finished = FinishedRun.read(keras_run)
    assert finished.key["train"]["callbacks"] == [PLATEAU]
    again = finished.study(None, 1).train.model_dump(mode="json")
    assert again["callbacks"] == [PLATEAU]


def test_only_an_allowed_report_is_read_and_the_refitting_needs_no_allowance(csv_run, tmp_path):
    parent = csv_run.parent.parent.parent
    given = {"FOLDPROOF_ALLOWED_PATHS": str(parent), "PREFECT__FLOW_RUN_ID": "0"}
    data = ("--data.source", "data.csv")
    ended = run([*VERIFY, str(csv_run), "--folds", "1", *data], parent, **given)
    assert (ended.code, ended.out.splitlines()[-1]) == (0, "identical"), ended.err
    copy = shutil.copytree(csv_run, tmp_path / "elsewhere")
    ended = run([*VERIFY, str(copy), "--folds", "1"], parent, **given)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"RUN_DIR: {str(copy)!r} is not in an allowed folder; ")


def test_a_changed_file_is_named(forged):
    path = forged / "predictions.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    (forged / "report.html").unlink()
    agrees, said = verified(forged)
    assert not agrees
    assert "predictions.parquet is not what the manifest says" in said
    assert "report.html is missing" in said


@pytest.mark.parametrize(
    ("part", "value"),
    [("seed", 7), ("seed", None), ("train", {}), ("metrics", ["accuracy"]), ("numerics", "x")],
)
def test_a_forged_key_is_named(forged, part, value):
    path = forged / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["key"][part] = value
    path.write_text(json.dumps(manifest))
    agrees, said = verified(forged)
    assert not agrees
    assert f"manifest.json has the RUN_ID {manifest['run_id']}, and a key whose RUN_ID is" in said


@pytest.mark.parametrize("key", [None, [], "x"])
def test_a_manifest_without_a_key_is_none(forged, key):
    path = forged / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "key": key}))
    with pytest.raises(InputError, match=r"RUN_DIR: .*holds no manifest\.json of a report"):
        verified(forged)


def test_a_metric_that_does_not_follow_is_named(forged):
    change(forged, "folds.parquet", roc_auc=0.25)
    agrees, said = verified(forged)
    assert not agrees
    assert "roc_auc of fold 0/0 is 0.9" in said
    assert said.count("0.25 in the report") == 1
    assert "  positive: 'malignant' (212 of 569)" in said


def test_a_forged_certificate_is_named(forged):
    change(forged, "folds.parquet", certificate="own initial weights")
    agrees, said = verified(forged)
    assert not agrees
    assert "fold 0/0 is not certified in the manifest as in its row" in said


def test_the_first_divergence_is_named_and_levels_forgive(forged):
    change(forged, "history.parquet", value=0.125)
    change(forged, "folds.parquet", weights_sha256="0" * 64)
    agrees, said = verified(forged, folds=1)
    assert not agrees
    assert "fold 0/0: DIFFERENT: learning_rate of epoch 1 is 0.125 in the report, 0." in said
    for level in ("numeric", "statistical"):
        agrees, said = verified(forged, folds=1, level=level)
        assert agrees
        assert "equal" in said.splitlines()[-1]


def test_other_scores_are_not_equal_but_for_rounding(forged):
    change(forged, "predictions.parquet", score_malignant=0.5, score_benign=0.5)
    change(forged, "folds.parquet", predictions_sha256="0" * 64)
    agrees, said = verified(forged, folds=1, level="numeric")
    assert not agrees
    assert "fold 0/0: DIFFERENT: the scores differ" in said


def test_data_that_moved_or_changed(csv_run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"data\.source: .*data\.csv"):
        verified(csv_run, folds=1)
    (tmp_path / "moved.csv").write_text(CSV)
    agrees, said = verified(csv_run, folds=None, source="moved.csv")
    assert agrees, said
    assert said.count(": identical") == 4
    (tmp_path / "moved.csv").write_text(CSV.replace("3,4,1", "3,5,1"))
    agrees, said = verified(csv_run, folds=None, source="moved.csv")
    assert not agrees
    assert "data.sha256: " in said
    assert "the scores differ" in said


def test_failed_folds_are_not_refitted(csv_run, tmp_path):
    copy = Path(shutil.copytree(csv_run, tmp_path / "copy"))
    change(copy, "folds.parquet", status="failed")
    agrees, said = verified(copy, folds=0)
    assert agrees
    assert "folds: none to refit" in said


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["nowhere"], "RUN_DIR"),
        ([], "command line"),
        (["REPORT", "--folds", "some"], "--folds"),
        (["REPORT", "--level", "exact"], "--level"),
        (["REPORT", "--all", "--folds", "1"], "command line"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(csv_run, tmp_path, arguments, field):
    given = [str(csv_run) if each == "REPORT" else each for each in arguments]
    ended = run([*VERIFY, *given], tmp_path)
    assert ended.code == 2
    assert ended.err.startswith(f"{field}: ")
    assert ended.err.count("\n") == 1
    assert not ended.out


def test_differences_name_the_place():
    before = {"a": {"b": 1, "c": [1]}, "d": "x" * 80}
    now = {"a": {"b": 2, "c": [1]}, "e": None}
    assert changes(before, now) == [
        "a.b: 1 in the report, 2 here",
        'd: "' + "x" * 56 + "... in the report, null here",
    ]
    assert changes(before, before) == []


def test_an_earlier_version_of_results_is_one_line():
    before = {"foldproof": "0.1.0", "data": {"rows": 9}, "seed": 1}
    now = {"foldproof": "0.2.0", "data": {"rows": 9, "counts": [4, 5]}, "seed": 1}
    line = 'results version: "0.1.0" in the report, "0.2.0" here'
    assert changes(before, now) == [line]
    assert changes(before, now | {"seed": 2}) == [
        line,
        "seed: 1 in the report, 2 here",
    ]
    assert changes(now, now | {"more": 1}) == ["more: null in the report, 1 here"]
