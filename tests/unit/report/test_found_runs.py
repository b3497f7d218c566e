"""Runs are found again: the list, OUT/index.html, OUT/latest, and names for people."""

import json
import os
import re
import shutil

import pytest
from pyarrow import parquet

from foldproof.tasks.report.found_runs import count_runs, found_runs
from foldproof.tasks.report.index import index_page, update_index
from tests.support.reports import finish


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A folder of two runs, the second of which ended last and has a failed fold."""
    folder = tmp_path_factory.mktemp("reports")
    first = finish(folder)
    second = finish(
        folder, lambda _, fold: "ValueError: boom" if fold else None, seed=7, metrics=["accuracy"]
    )
    for age, finished in ((100, first), (50, second)):
        os.utime(finished.path / "execution.parquet", (1_800_000_000 - age,) * 2)
        update_index(folder, finished.path)
    return folder


def test_the_newest_is_first(out):
    second, first = found_runs(out)
    assert (second.at - first.at).total_seconds() == 50
    assert (second.model, second.data, second.failed) == ("LogisticRegression", "iris, 150 rows", 2)
    assert first.first.startswith("accuracy 0.9")
    assert first.path == out / "runs" / first.run_id
    assert [each.run_id for each in found_runs(out, most=1)] == [second.run_id]
    assert count_runs(out) == 2


def test_latest_leads_to_the_last_run(out):
    assert (out / "latest").is_symlink()
    assert not (out / "latest").readlink().is_absolute()
    assert (out / "latest").resolve() == found_runs(out)[0].path


def test_the_page_links_every_run(out):
    page = (out / "index.html").read_text()
    links = re.findall(r'href="([^"]+)"', page)
    assert links == [f"runs/{each.run_id}/report.html" for each in found_runs(out)]
    assert all((out / link).is_file() for link in links)
    assert "(2 failed)" in page
    assert [path for path in out.iterdir() if path.name.endswith(".part")] == []


def test_the_page_says_how_many_more_there_are(out):
    assert "3 more are in the folder runs" in index_page(found_runs(out), 5)
    assert "more are" not in (out / "index.html").read_text()


def test_a_damaged_report_hides_no_other(out, tmp_path):

    copy = tmp_path / "copy"
    shutil.copytree(out, copy, symlinks=True)
    newest = found_runs(copy)[0]
    (newest.path / "manifest.json").write_text("{")
    assert [each.run_id for each in found_runs(copy)] == [found_runs(out)[1].run_id]
    (copy / "runs" / "stray").mkdir()
    (copy / "runs" / "note.txt").touch()
    assert count_runs(copy) == 2


def test_a_name_is_shown_escaped(out, tmp_path):

    copy = tmp_path / "copy"
    shutil.copytree(out, copy, symlinks=True)
    path = found_runs(copy)[0].path / "execution.parquet"
    table = parquet.read_table(path)
    metadata = {**table.schema.metadata, b"foldproof.name": b"my <b>first</b>"}
    parquet.write_table(table.replace_schema_metadata(metadata), path)
    named = next(each for each in found_runs(copy) if each.path == path.parent)
    assert named.name == "my <b>first</b>"
    assert "my &lt;b&gt;first&lt;/b&gt;" in index_page([named], 1)


def test_what_a_report_from_elsewhere_says_moves_no_cursor(out, tmp_path):
    run = tmp_path / "runs" / "theirs"
    shutil.copytree(found_runs(out)[0].path, run)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["key"]["model"]["builder"] = "nets:build\x1b[2J\nall is well"
    (run / "manifest.json").write_text(json.dumps(manifest))
    (found,) = found_runs(tmp_path)
    assert found.model == "build\\x1b[2J all is well"
