"""`foldproof list`, and what a run leaves to be found by."""

import os
import sys
from pathlib import Path

import pexpect
import pytest

from foldproof.tasks.report.found_runs import found_runs
from tests.support.command import cv, report_of, run
from tests.support.reports import finish

FOLDPROOF = str(Path(sys.executable).with_name("foldproof"))
BASELINE = ("--model", "sklearn.linear_model:LogisticRegression", "--split.n_splits", "2")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A folder of two runs."""
    folder = tmp_path_factory.mktemp("reports")
    for age, seed in ((100, 1), (50, 2)):
        finished = finish(folder, seed=seed)
        os.utime(finished.path / "execution.parquet", (1_700_000_000 - age,) * 2)
    return folder


def test_the_command_lists_them(out, tmp_path):
    ended = run([FOLDPROOF, "list", "--out", str(out)], tmp_path)
    head, second, first = ended.out.splitlines()
    assert head.split() == ["run", "when", "name", "model", "data", "first", "metric"]
    assert [line.split()[0] for line in (second, first)] == [r.run_id for r in found_runs(out)]
    quiet = run([FOLDPROOF, "list", "--out", str(out), "--quiet", "--most", "1"], tmp_path)
    assert quiet.out.splitlines() == [str(found_runs(out)[0].path)]
    few = run([FOLDPROOF, "list", "--out", str(out), "--most", "1"], tmp_path)
    assert few.out.splitlines()[-1] == "1 more; --most 2 lists all"


def test_a_folder_without_runs_is_said_so(tmp_path):
    ended = run([FOLDPROOF, "list"], tmp_path)
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "no runs in 'reports'; --out names another folder of results\n"
    ended = run([FOLDPROOF, "list", "--most", "x"], tmp_path)
    assert (ended.code, ended.err.count("\n")) == (2, 1)


def test_a_name_is_in_no_key_and_a_terminal_shows_the_page(tmp_path, prefect_api):
    variables = {"PREFECT_API_URL": prefect_api}
    plain = report_of(cv(*BASELINE, folder=tmp_path, **variables))
    command = ["cv", *BASELINE, "--name", "first try"]
    child = pexpect.spawn(
        FOLDPROOF,
        command,
        cwd=str(tmp_path),
        env={**os.environ, **variables, "TERM": "xterm"},
        timeout=200,
        encoding="utf-8",
        dimensions=(40, 200),
    )
    child.expect(pexpect.EOF)
    last = str(child.before).splitlines()[-1]
    assert last == f"report: {plain / 'report.html'}"
    out = tmp_path / "reports"
    assert [each.name for each in found_runs(out)] == ["first try"]
    assert (out / "latest").resolve() == plain
    assert "first try" in (out / "index.html").read_text()
