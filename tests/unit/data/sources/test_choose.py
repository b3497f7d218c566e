"""Each kind of source says of itself which addresses it takes, and how they are read."""

from pathlib import Path

import numpy as np
import pytest

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.data import READINGS, DataSpec
from foldproof.tasks.data.sources import choose
from foldproof.tasks.data.sources.declaration import Source
from foldproof.tasks.data.sources.raw_table import RawData
from foldproof.tasks.data.sources.read import read


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("iris", "bundled"),
        ("memory:0123", "in_memory"),
        ("A.CSV", "csv_files"),
        ("a.tsv.gz", "csv_files"),
        ("s3://bucket/a.csv?region=eu-central-1", "csv_files"),
        ("FILE:///a.csv", "csv_files"),
        ("a.npz", "npz"),
        ("a.pq", "parquet_files"),
        ("a.npy", "npy_files"),
        ("s3://bucket/X.npy?region=eu", "npy_files"),
        ("a.feather", "arrow_files"),
        ("A.ARROW", "arrow_files"),
        ("s3://bucket/a.ipc", "arrow_files"),
        ("a.xlsx", "excel_files"),
        ("sqlite:///a.db", "sqlite_files"),
        ("postgresql://user@host/trial?sslmode=require", "postgres"),
        ("images", "image_folders"),
        ("gs://bucket/folder", "parquet_files"),
        ("gs://bucket/v1.2/", "parquet_files"),
        ("gs://bucket/a.parquet?endpoint_override=localhost", "parquet_files"),
        (".", "parquet_files"),
    ],
)
def test_an_address_is_taken_by_one_kind(here: Path, address: str, kind: str) -> None:
    (here / "images" / "a").mkdir(parents=True)
    (here / "images" / "a" / "1.PNG").touch()
    found = choose.find_source(address)
    assert found is not None
    assert found.read.__module__.rpartition(".")[2] == kind
    takers = [source for source in choose.sources() if source.takes(address)]
    assert takers[0] == found
    assert takers[1:] == ([choose.find_source(".")] if address == "images" else [])  # a folder


@pytest.mark.parametrize("address", ["a.txt", "s3://b/a.txt", "ftp://a/b.csv", "hf://a", "", "://"])
def test_what_no_kind_takes_is_refused_with_all_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").touch()
    assert choose.find_source(address) is None
    with pytest.raises(InputError) as caught:
        choose.source_of(address)
    line = str(caught.value)
    assert "\n" not in line
    if address:
        assert all(source.written in line for source in choose.sources())


def test_only_what_is_opened_has_to_be_allowed() -> None:
    addresses = ("iris", "memory:0", "iris.csv", "nowhere", "s3://b/a.csv", "ftp://a/b")
    opened = [address for address in addresses if choose.is_opened(address)]
    assert opened == ["iris.csv", "nowhere", "s3://b/a.csv", "ftp://a/b"]


def test_each_section_of_reading_settings_is_of_one_kind_or_of_known_ones() -> None:
    named = [name for source in choose.sources() for name in source.settings]
    assert sorted(set(named)) == sorted(READINGS)
    shared = {name for name in READINGS if named.count(name) > 1}
    assert shared == {"query", "images"}  # of databases, of tables with paths


def test_the_setting_tells_people_of_every_kind() -> None:
    """So do the flag's help, the form and, from there, whoever reads them."""
    text = str(DataSpec.model_fields["source"].description).replace("A bundled", "a bundled")
    missing = [source.written for source in choose.sources() if source.written not in text]
    assert missing == []


def test_a_new_kind_is_one_module(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.arange(8.0).reshape(4, 2)
    seen = []

    def answer(spec: DataSpec, fold_column: str | None) -> RawData:
        seen.append((spec.source, fold_column))
        return RawData(rows, np.array([0, 1, 0, 1]), spec)

    answers = Source(
        "an address of a service",
        takes=lambda address: address.startswith("service://"),
        read=answer,
        place="service",
        shown=lambda address: address.rpartition("/")[2],
    )
    known = choose.sources()
    monkeypatch.setattr(choose, "sources", lambda: [*known, answers])
    address = "service://user:secret@host/trial"
    assert read(DataSpec(source=address), None).rows == 4
    assert seen == [(address, None)]
    assert choose.is_opened(address)
    assert choose.shown(address) == "trial"
    assert choose.content_digest(DataSpec(source=address)) is None
    with pytest.raises(InputError, match=r"give a bundled .*, or an address of a service$"):
        choose.source_of("ftp://a/b")
