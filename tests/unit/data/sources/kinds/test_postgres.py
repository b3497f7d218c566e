"""Addresses of PostgreSQL: no passwords, nothing recorded of who asks, closed to deployments."""

import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import parse_study
from foldproof.tasks.data.sources.choose import recorded, shown
from foldproof.tasks.data.sources.read import check_source
from foldproof.tasks.run.allowlist import PATHS, check_trust

ADDRESS = "postgresql://alice@db.example:5433/trial?sslmode=require"


def study(source: str):
    return parse_study({"data": {"source": source, "query": "select 1"}})


@pytest.mark.parametrize(
    "source",
    [
        "postgresql://alice:geheim@host/trial",
        "postgres://alice:ge/h@eim@host/trial",
        "postgresql+psycopg2://:geheim@host/trial",
        "postgresql://host/trial?password=geheim",
        "POSTGRESQL://alice:geheim@host",
    ],
)
def test_a_password_is_refused_and_not_repeated(source):
    with pytest.raises(InputError) as caught:
        study(source)
    assert str(caught.value) == ("data.source: holds a password; leave it out and set PGPASSWORD")


def test_neither_user_nor_options_are_recorded():
    assert recorded(ADDRESS) == shown(ADDRESS) == "postgresql://db.example:5433/trial"
    assert recorded("postgres+asyncpg://h/t#x") == "postgresql://h/t"
    assert recorded("s3://bucket/a.csv?region=eu") == "s3://bucket/a.csv?region=eu"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("postgresql://h/t?host=other", "data.source: has unknown options; only ?sslmode="),
        ("postgresql://h/t?sslmode=no", "data.source: has unknown options; only ?sslmode="),
        ("postgresql://h:port/t", "data.source: is no address (Port could not be cast"),
        ("mysql://h/t", "data.source: 'mysql://h/t' begins with none of "),
    ],
)
def test_addresses_that_could_lead_elsewhere_are_refused(source, problem):
    with pytest.raises(InputError) as caught:
        check_source(study(source).data)
    assert str(caught.value).startswith(problem)


def test_a_deployment_reaches_only_the_databases_that_are_listed(monkeypatch):
    monkeypatch.delenv(PATHS, raising=False)
    with pytest.raises(InputError) as caught:
        check_trust(study(ADDRESS), deployed=True)
    assert str(caught.value).startswith(
        "data.source: 'postgresql://db.example:5433/trial' is not in an allowed folder"
    )
    monkeypatch.setenv(PATHS, "postgresql://db.example:5433/trial,.")
    check_trust(study(ADDRESS), deployed=True)
    for other in ("postgresql://db.example/trial", "postgresql://db.example:5433/trial2"):
        with pytest.raises(InputError):
            check_trust(study(other), deployed=True)
