"""SQLite databases: real files, whose rows come in any order."""

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.data.dataset import prepare_data
from foldproof.tasks.data.sources.choose import places
from foldproof.tasks.run.allowlist import PATHS, check_trust
from tests.support.reading import load, refused

ROWS = [
    (1, 50, 1.5, "north", "2024-01-01", "no"),
    (2, 61, None, "south", "2024-01-02", "yes"),
    (3, 47, 2, None, None, "no"),
    (4, 58, 2.5, "north", "2024-03-01", "yes"),
]
ALL = "select * from patients"


def database(path: Path, order: Any = slice(None)) -> str:
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute("create table patients (id, age, marker, site, seen, y text)")
        connection.executemany("insert into patients values (?, ?, ?, ?, ?, ?)", ROWS[order])
    connection.close()
    return f"sqlite:///{path}"


def test_rows_are_typed_and_sorted_whatever_order_they_come_in(tmp_path: Path) -> None:
    digests = set()
    for place, order in enumerate((slice(None), slice(None, None, -1))):
        source = database(tmp_path / f"{place}.db", order)
        (tmp_path / str(place)).mkdir()
        spec = DataSpec(source=source, query=ALL, target="y")
        digests.add(prepare_data(spec, None, tmp_path / str(place)).digest)
    assert len(digests) == 1
    raw = load(source, target="y", query="select age, marker, site, seen, y from patients;")
    assert {f.name: str(f.type) for f in raw.features.schema} == {
        "age": "int64",
        "marker": "double",
        "site": "string",
        "seen": "timestamp[us]",
    }
    assert raw.features["age"].to_pylist() == [47, 50, 58, 61]
    assert raw.target.tolist() == ["no", "no", "yes", "yes"]
    assert raw.notices == (
        "'1.db': rows are sorted by all columns, since a query promises no order",
    )


def test_a_path_may_be_relative_and_hold_blanks(here: Path) -> None:
    database(here / "my trial?.db".replace("?", ""))
    assert load("sqlite:///my trial.db", target="y", query=ALL).rows == len(ROWS)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("select * from patient", "data.query: no such table: patient; give a select that"),
        ("delete from patients", "data.query: near "),
        ("select 1 as y) as a; delete from patients; --", "data.query: "),
        (
            "select id, 1 as a, y from patients union all select 1, 'b', 'c'",
            "data.query: column 'a'",
        ),
        ("select * from patients where age > 99", "data.query: finds no row in 'a.db'"),
    ],
)
def test_wrong_queries_are_one_line_and_change_nothing(
    tmp_path: Path, query: str, problem: str
) -> None:
    source = database(tmp_path / "a.db")
    before = (tmp_path / "a.db").read_bytes()
    assert refused(source, target="y", query=query).startswith(problem)
    assert (tmp_path / "a.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


@pytest.mark.parametrize(
    ("source", "query", "problem"),
    [
        ("sqlite:///a.db", None, "data.query: missing; say which rows to read, such as 'select"),
        ("sqlite:///b.db", ALL, "data.source: no file or folder 'b.db'; check the path"),
        ("sqlite:///.", ALL, "data.source: '.' is a folder; name the SQLite file in it"),
        ("sqlite://a.db", ALL, "data.source: 'sqlite://a.db' names no file; write sqlite:///"),
        ("sqlite:///:memory:", ALL, "data.source: 'sqlite:///:memory:' names no file; write"),
        ("sqlite:///a.csv", ALL, "data.source: cannot read 'sqlite:///a.csv': file is not a data"),
        ("a.csv", ALL, "data.query: 'a.csv' is not "),
    ],
)
def test_what_is_no_database_is_one_line(
    here: Path, source: str, query: str | None, problem: str
) -> None:
    database(here / "a.db")
    Path("a.csv").write_text("a,b,y\n" + "1,2,0\n3,4,1\n" * 99)
    assert refused(source, target="y", query=query).startswith(problem)


def test_it_is_allowed_as_its_path_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = database(tmp_path / "a.db")
    study = parse_study({"data": {"source": source, "query": ALL}})
    assert places(study.data) == (str(tmp_path / "a.db"),)
    monkeypatch.setenv(PATHS, str(tmp_path))
    check_trust(study.model_copy(update={"out": str(tmp_path)}))
    monkeypatch.setenv(PATHS, str(tmp_path / "other"))
    with pytest.raises(InputError, match=r"a\.db' is not in an allowed folder"):
        check_trust(study)


def test_equal_rows_and_zeros_are_no_trouble(tmp_path: Path) -> None:
    source = database(tmp_path / "a.db")
    doubled = f"{ALL} union all {ALL}"
    raw = load(source, target="y", query=doubled, features=["id"])
    assert np.asarray(raw.features["id"]).tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
