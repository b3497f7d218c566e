"""The report's folder: whole or not there, the same bytes for the same run."""

import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest
from pyarrow import parquet

from foldproof.tasks.common.digest import canonical_json
from foldproof.tasks.common.version import VERSION
from foldproof.tasks.evaluation.schemas import execution_schema
from foldproof.tasks.evaluation.tables import reduce_folds
from foldproof.tasks.report.folder import write_report
from foldproof.tasks.report.result import coverage
from tests.support.command import contents, cv, report_of
from tests.support.places import ROOT
from tests.support.reports import finish, found_in, parts_of, prepared, settings, train

FILES = {
    "curves.parquet",
    "execution.parquet",
    "findings.parquet",
    "folds.parquet",
    "history.parquet",
    "manifest.json",
    "predictions.parquet",
    "report.html",
    "settings.yaml",
    "summary.parquet",
}
SAME = FILES - {"execution.parquet"}


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digests(folder):
    return {name: sha256(folder / name) for name in SAME}


def fails_once(repeat, fold):
    return "ValueError: boom" if fold == 1 else None


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return finish(tmp_path_factory.mktemp("reports"))


def test_a_report_is_named_by_its_run_and_holds_every_file(finished):
    assert finished.path == finished.run.out / "runs" / finished.run_id
    assert {path.name for path in finished.path.iterdir()} == FILES


def test_no_temporary_name_is_left(finished):
    assert [path.name for path in (finished.run.out / "runs").iterdir()] == [finished.run_id]
    assert all(path.suffix == ".parquet" for path in (finished.run.out / "folds").iterdir())


def test_the_manifest_holds_the_key_and_every_files_digest(finished):
    manifest = json.loads((finished.path / "manifest.json").read_text())
    assert set(manifest) == {"run_id", "key", "files", "certificates"}
    digest = hashlib.sha256(canonical_json(manifest["key"]).encode()).hexdigest()
    assert manifest["run_id"] == digest[:12] == finished.run_id
    others = SAME - {"manifest.json"}
    assert manifest["files"] == {name: sha256(finished.path / name) for name in others}


@pytest.mark.parametrize("name", ["folds", "history", "predictions", "summary"])
def test_a_table_comes_back_as_it_was(finished, name):
    table = getattr(finished.tables, name)
    found = parquet.read_table(finished.path / f"{name}.parquet")
    assert found.equals(table)
    assert found.schema.equals(table.schema, check_metadata=True)


@pytest.mark.parametrize("name", ["folds", "history", "predictions", "summary", "execution"])
def test_a_table_is_one_row_group_without_nan(finished, name):
    file = parquet.ParquetFile(finished.path / f"{name}.parquet")
    assert file.num_row_groups <= 1
    for column in file.read().columns:
        assert all(value == value for value in column.to_pylist())


def test_the_execution_tells_what_may_differ_between_equal_runs(finished):
    table = parquet.read_table(finished.path / "execution.parquet")
    assert [(field.name, field.type) for field in table.schema] == [
        (field.name, field.type) for field in execution_schema()
    ]
    told = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    assert told["foldproof.source"] == "iris"
    assert told["foldproof.version"] == VERSION
    assert told["foldproof.workers"] == "1"
    assert told["foldproof.out"] == str(finished.run.out)
    assert set(table["pid"].to_pylist()) == {os.getpid()}
    assert table.schema.field("attempt").metadata[b"description"]


def test_the_same_run_in_another_folder_has_the_same_bytes(tmp_path, finished):
    again = finish(tmp_path)
    assert again.run_id == finished.run_id
    assert digests(again.path) == digests(finished.path)


def test_another_process_writes_the_same_bytes(tmp_path, finished):
    script = (
        "import sys; from pathlib import Path; from tests.support.reports import finish\n"
        "finish(Path(sys.argv[1]))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "5"}
    command = [sys.executable, "-c", script, str(tmp_path)]
    subprocess.run(command, env=environment, cwd=ROOT, check=True)
    assert digests(tmp_path / "runs" / finished.run_id) == digests(finished.path)


def write_again(finished, records=None, facts=None):
    """Reduce and write a finished run once more from its store."""
    with prepared(settings(finished.run.out)) as run:
        tables = reduce_folds(*parts_of(run, records or finished.records))
        found = found_in(run, tables)
        return write_report(tables, found, run.key, (), run.out, facts or {})


def test_writing_again_replaces_only_the_execution(tmp_path):
    finished = finish(tmp_path)
    before = {name: (finished.path / name).stat().st_mtime_ns for name in SAME}
    report = write_again(finished, facts={"workers": "9"})
    assert report.path == finished.path
    assert {name: (finished.path / name).stat().st_mtime_ns for name in SAME} == before
    metadata = parquet.read_schema(finished.path / "execution.parquet").metadata
    assert metadata[b"foldproof.workers"] == b"9"
    assert {path.name for path in finished.path.iterdir()} == FILES


@pytest.mark.parametrize("name", sorted(SAME))
def test_a_damaged_report_is_written_anew(tmp_path, name):
    finished = finish(tmp_path)
    before = digests(finished.path)
    (finished.path / name).write_bytes(b"damaged")
    write_again(finished)
    assert digests(finished.path) == before
    (finished.path / name).unlink()
    write_again(finished)
    assert digests(finished.path) == before


def test_an_incomplete_report_says_so_and_is_replaced_by_the_complete_one(tmp_path, finished):
    incomplete = finish(tmp_path, fails_once)
    assert incomplete.run_id == finished.run_id
    assert digests(incomplete.path) != digests(finished.path)
    page = (incomplete.path / "report.html").read_text()
    assert "1 of 3 folds failed" in page
    assert "ValueError: boom" in page
    rows = parquet.read_table(incomplete.path / "folds.parquet").to_pylist()
    assert [row["status"] for row in rows] == ["ok", "failed", "ok"]
    assert rows[1]["accuracy"] is None
    complete = finish(tmp_path)
    assert complete.path == incomplete.path
    assert digests(complete.path) == digests(finished.path)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [complete.run_id]
    again = finish(tmp_path, fails_once)
    assert digests(again.path) == digests(finished.path), "a complete report is not given up"


def test_what_a_killed_process_left_is_no_obstacle(tmp_path, finished):
    """In containers, the next process often has the number of the killed one."""
    with prepared(settings(tmp_path)) as run:
        records = train(run)
        tables = reduce_folds(*parts_of(run, records))
        host = os.uname().nodename
        for ending in ("part", "old"):
            left = tmp_path / "runs" / f".{finished.run_id}.{host}-{os.getpid()}.{ending}"
            left.mkdir(parents=True)
            (left / "folds.parquet").write_bytes(b"half")
        (tmp_path / "runs" / finished.run_id).mkdir()
        report = write_report(tables, found_in(run, tables), run.key, (), run.out, {})
    assert digests(report.path) == digests(finished.path)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [finished.run_id]


def test_a_report_that_cannot_be_written_leaves_the_earlier_one(tmp_path):
    incomplete = finish(tmp_path, fails_once)
    before = digests(incomplete.path)
    with prepared(settings(tmp_path)) as run:
        tables = reduce_folds(run.dataset, run.plan, run.jobs, train(run), run.metrics)
        with pytest.raises(UnicodeEncodeError):
            write_report(tables, (), run.key, ("half a character: \udcff",), run.out, {})
    assert digests(incomplete.path) == before
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [incomplete.run_id]


@pytest.mark.parametrize(
    "manifest",
    ["", "[]", "{", "7", '{"files": []}', '{"files": {"": "x"}}', '{"files": null}', "[" * 99999],
)
def test_a_broken_manifest_is_a_damaged_report(tmp_path, finished, manifest):
    damaged = finish(tmp_path)
    (damaged.path / "manifest.json").write_text(manifest)
    assert digests(finish(tmp_path, fails_once).path) != digests(finished.path)
    assert digests(finish(tmp_path).path) == digests(finished.path)


def test_of_a_complete_report_that_is_kept_nobody_says_that_it_is_incomplete(tmp_path):
    first = finish(tmp_path, fails_once)
    assert not write_again(first, first.records).has_earlier
    finish(tmp_path)
    assert write_again(first, first.records).has_earlier
    assert coverage(1, 3) == "INCOMPLETE: 1 of 3 folds failed"
    said = coverage(1, 3, has_earlier=True)
    kept = "the complete report of an earlier run was kept"
    assert said == f"1 of 3 folds failed this time; {kept}"


def test_a_report_that_was_being_replaced_is_back_after_the_next_start(tmp_path, finished):
    lost = finish(tmp_path)
    lost.path.rename(lost.path.with_name(f".{lost.run_id}.node-7-4711.old"))
    with prepared(settings(tmp_path)) as run:
        run.check()
    assert digests(lost.path) == digests(finished.path)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [lost.run_id]


def test_a_folder_can_be_copied_and_still_checks(tmp_path, finished):
    copy = shutil.copytree(finished.path, tmp_path / "copy")
    manifest = json.loads((copy / "manifest.json").read_text())
    assert all(sha256(copy / name) == digest for name, digest in manifest["files"].items())


FLAKY = (
    "import pathlib\nfrom sklearn.linear_model import LogisticRegression\n\n\n"
    "class Flaky(LogisticRegression):\n"
    "    def fit(self, x, y, **options):\n"
    "        if pathlib.Path('broken').exists() and len(x) == 112:\n"
    "            raise ValueError('broken')\n"
    "        return super().fit(x, y, **options)\n\n\n"
    "def build():\n    return Flaky(max_iter=1000)\n"
)


@pytest.mark.long
def test_the_command_line_says_that_a_complete_report_was_kept(tmp_path):
    (tmp_path / "flaky.py").write_text(FLAKY)
    flags = ("--model", "flaky:build", "--data", "iris", "--split.n_splits", "4")
    report = report_of(cv(*flags, folder=tmp_path))
    before = contents(report)
    (tmp_path / "broken").touch()
    ended = cv(*flags, "--refresh", folder=tmp_path)
    assert ended.code == 3, ended.err
    lines = ended.out.strip().splitlines()
    kept = "2 of 4 folds failed this time; the complete report of an earlier run was kept"
    assert lines[-2] == kept
    assert lines[-1] == f"report: {report}"
    assert "INCOMPLETE" not in ended.out
    assert contents(report) == before
