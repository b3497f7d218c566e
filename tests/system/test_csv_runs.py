"""How a table is written is in no key: runs and their verification with files of other forms."""

import json
import sys
from pathlib import Path

import pytest

from tests.support.command import contents, cv, report_of, run
from tests.support.corpus import frame
from tests.support.places import ROOT

QUICK = ["--model", "sklearn.linear_model:LogisticRegression", "--data.target", "target"]
QUICK += ["--split.n_splits", "3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one table in three forms."""
    folder = tmp_path_factory.mktemp("forms")
    table = frame("breast_cancer").iloc[:, -6:]
    table.to_csv(folder / "plain.csv", index=False)
    table.to_csv(folder / "german.csv", index=False, sep=";", decimal=",", encoding="utf-16")
    table.to_csv(folder / "bare.csv", index=False, header=False)
    return folder


def test_a_file_of_another_form_is_the_same_run(folder: Path) -> None:
    plain = cv("--data.source", "plain.csv", "--out", "plain", *QUICK, folder=folder)
    german = cv("--data.source", "german.csv", "--out", "german", *QUICK, folder=folder)
    one, other = report_of(plain), report_of(german)
    told = (
        "'german.csv' has encoding utf-16, delimiter ';', decimal ','; if that is wrong, set "
        "data.csv.encoding, data.csv.delimiter, data.csv.decimal"
    )
    assert told in german.out + german.err
    assert "has encoding" not in plain.out + plain.err
    key = json.loads((one / "manifest.json").read_text())["key"]
    assert "csv" not in key["data"]["settings"]
    assert other.name == one.name
    assert contents(other) == contents(one)


def test_a_run_is_verified_as_its_file_was_read(folder: Path) -> None:
    flags = ["--model", QUICK[1], "--split.n_splits", "3", "--out", "bare", "--data.target", "5"]
    ended = cv("--data.source", "bare.csv", "--data.csv.header", "false", *flags, folder=folder)
    verify = [sys.executable, str(ROOT / "flows" / "verify.py")]
    data = ["--data.source", "bare.csv"]  # here is no terminal to show it on
    again = run([*verify, str(report_of(ended)), "--folds", "1", *data], folder)
    assert (again.code, again.out.splitlines()[-1]) == (0, "identical")


LINES = [
    (
        ["--data.source", "bare.csv", "--data.target", "5"],
        "data.csv.header: the first row of 'bare.csv' is data (",
    ),
    (
        ["--data.source", "plain.csv", "--data.target", "Target"],
        "data.target: no column 'Target'; did you mean 'target', in another case?",
    ),
    (
        ["--data.source", "plain.csv", "--data.target", "target", "--data.csv.encoding", "x"],
        "data.csv.encoding: unknown 'x'; use utf-8, utf-16, cp1252 or latin-1",
    ),
]


@pytest.mark.parametrize(("arguments", "line"), LINES, ids=lambda value: str(value)[:40])
def test_a_process_says_it_in_one_line(folder: Path, arguments: list[str], line: str) -> None:
    ended = cv(*arguments, "--model", QUICK[1], folder=folder)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(line)
    assert len(ended.err.splitlines()) == 1
