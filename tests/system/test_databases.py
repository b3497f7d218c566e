"""Samples from a real PostgreSQL: the same bits as from a file, and no trace of who asked."""

import json
import os
import subprocess
import sys

import pytest
from sklearn import datasets

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import DataSpec
from foldproof.tasks.data.dataset import prepare_data
from foldproof.tasks.data.sources.read import read
from foldproof.tasks.report.finished import FinishedRun
from tests.support.command import cv, report_of, run
from tests.support.needs import need
from tests.support.places import ROOT
from tests.support.postgres import FOLDERS, PASSWORD, Postgres

pytestmark = pytest.mark.server

READER = "secret_reader"
QUERY = "select * from samples"
MODEL = ("--model", "sklearn.linear_model:LogisticRegression", "--split.n_splits", "3")


@pytest.fixture(scope="module")
def postgres():
    """A server with the iris data, and a reader that may only select."""
    need(bool(FOLDERS), "postgresql")
    server = Postgres()
    frame = datasets.load_iris(as_frame=True).frame.set_axis(["a", "b", "c", "d", "y"], axis=1)
    rows = ",".join(str(tuple(row)) for row in frame.to_numpy().tolist())
    run_sql(
        server,
        "create table samples (a float8, b float8, c float8, d float8, y int);"
        f"insert into samples values {rows};"
        "create table kinds"
        "(n numeric, i int, t text, d date, z timestamptz, b bool, u uuid, y int);"
        "insert into kinds values (1.5, 1, 'a', '2024-01-02', '2024-01-02 03:04Z', true, "
        "'6f2b0a4e-7f1c-4f5e-9c55-0c9d7c7a0001', 0);"
        "insert into kinds (y) values (1);"
        f"create role {READER} login password '{PASSWORD}'; grant select on samples to {READER};",
    )
    frame.to_csv(server.folder / "iris.csv", index=False)
    yield server
    server.remove()


def run_sql(server, text):
    command = ["psql", "-v", "ON_ERROR_STOP=1", "-q", "-h", "127.0.0.1", "-p", str(server.port)]
    environment = os.environ | {"PGPASSWORD": PASSWORD}
    subprocess.run([*command, "-U", "prefect", "postgres", "-c", text], env=environment, check=True)


def address(server, user=READER, options="?sslmode=disable"):
    return f"postgresql://{user}@127.0.0.1:{server.port}/postgres{options}"


def ask(source, query=QUERY, **settings):
    return read(DataSpec(source=source, query=query, target="y", **settings), None)


def refused(source, query=QUERY):
    with pytest.raises(InputError) as caught:
        ask(source, query)
    assert len(str(caught.value).splitlines()) == 1
    assert READER not in str(caught.value)
    return str(caught.value)


def test_the_samples_are_those_of_a_sorted_file_in_any_order(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    digests = set()
    for place, order in enumerate(("a, b, c, d, y", "y desc, a desc", "random()")):
        (tmp_path / str(place)).mkdir()
        query = f"{QUERY} order by {order}"
        spec = DataSpec(source=address(postgres), query=query, target="y")
        digests.add(prepare_data(spec, None, tmp_path / str(place)).digest)
    assert len(digests) == 1


def test_types_are_those_of_the_columns(postgres, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    raw = ask(address(postgres, "prefect"), "select * from kinds")
    assert {f.name: str(f.type) for f in raw.features.schema} == {
        "n": "double",
        "i": "int64",
        "t": "string",
        "d": "date32[day]",
        "z": "timestamp[us, tz=UTC]",
        "b": "bool",
        "u": "string",
    }


@pytest.mark.parametrize(
    "query",
    [
        "delete from samples returning *",
        "with gone as (delete from samples returning *) select * from gone",
        "select 1) as x; delete from samples; select * from (select 1",
        "copy samples to program 'touch owned'",
        "select * into other from samples",
        "select nextval('s'), 1 as y",
        "select * from nothing",
    ],
)
def test_a_query_can_only_select(postgres, monkeypatch, query):
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    source = address(postgres, "prefect")
    assert refused(source, query).startswith("data.query: ")
    assert ask(source).rows == 150


def test_who_may_not_ask_is_told_what_to_set(postgres, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "wrong")
    line = f"data.source: postgresql://127.0.0.1:{postgres.port}/postgres refuses the user or "
    assert refused(address(postgres)) == line + "password; set PGUSER and PGPASSWORD"
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert refused(address(postgres), "select * from kinds").startswith(
        "data.query: permission denied for table kinds"
    )
    run_sql(postgres, f"alter role {READER} connection limit 0")
    assert "too many connections for role that user" in refused(address(postgres))
    run_sql(postgres, f"alter role {READER} connection limit -1")
    assert refused("postgresql://127.0.0.1:1/postgres").startswith(
        "data.source: cannot connect to postgresql://127.0.0.1:1/postgres: "
    )


def test_a_run_keeps_no_trace_of_who_asked(postgres, tmp_path):
    prefect = tmp_path / "prefect"
    data = ("--data.source", address(postgres), "--data.query", QUERY, "--data.target", "y")
    ended = cv(*data, *MODEL, folder=tmp_path, PGPASSWORD=PASSWORD, PREFECT_HOME=str(prefect))
    report = report_of(ended)
    assert "rows are sorted by all columns" in ended.out + ended.err
    said = FinishedRun.read(report).execution.schema.metadata
    assert said[b"foldproof.source"] == f"postgresql://127.0.0.1:{postgres.port}/postgres".encode()
    kept = [path for folder in (report.parents[1], prefect) for path in folder.rglob("*")]
    assert any(path.suffix == ".db" for path in kept)
    held = [path for path in kept if path.is_file() and has_secret(path.read_bytes())]
    assert held == []
    assert not has_secret((ended.out + ended.err).encode())
    named = f"postgresql://127.0.0.1:{postgres.port}/postgres?sslmode=disable"
    assert verified(report).startswith("data.source: the report names 'postgresql://127.0.0.1:")
    assert verified(report, "--data.source", named) == (
        f"data.query: the report's query '{QUERY}' would run on your server; if it may, use "
        "--trust-builder"
    )
    assert verified(report, "--data.source", named, "--trust-builder", code=0)


def test_a_comparison_keeps_none_either(postgres, tmp_path):
    prefect = tmp_path / "prefect"
    data = {"source": address(postgres), "query": QUERY, "target": "y"}
    for name in ("linear_model:LogisticRegression", "naive_bayes:GaussianNB"):
        study = {"data": data, "model": f"sklearn.{name}", "split": {"n_splits": 3}}
        (tmp_path / f"{name[:5]}.yaml").write_text(json.dumps(study | {"metrics": ["accuracy"]}))
    command = [
        sys.executable,
        str(ROOT / "flows" / "compare.py"),
        *map(str, tmp_path.glob("*.yaml")),
    ]
    ended = run(command, tmp_path, PGPASSWORD=PASSWORD, PREFECT_HOME=str(prefect))
    assert ended.code == 0, ended.err
    kept = [path for folder in (tmp_path / "reports", prefect) for path in folder.rglob("*")]
    assert any(path.suffix == ".db" for path in kept)
    assert [path for path in kept if path.is_file() and has_secret(path.read_bytes())] == []


def has_secret(content):
    return READER.encode() in content or PASSWORD.encode() in content or b"sslmode" in content


def verified(report, *flags, code=2):
    command = [sys.executable, str(ROOT / "flows" / "verify.py"), str(report), "--folds", "1"]
    variables = {"PGUSER": READER, "PGPASSWORD": PASSWORD}
    ended = run([*command, *flags], report.parents[2], **variables)
    assert ended.code == code, ended.err
    return ended.err.strip().splitlines()[-1] if code else ended.out
