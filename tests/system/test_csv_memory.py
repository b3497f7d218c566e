"""A large CSV file takes a few times its size in memory, not ten times."""

import re
import sys

import pytest

from tests.support.command import run
from tests.support.places import ROOT

pytestmark = pytest.mark.long

MEGABYTES = 20
MOST = 4.0  # a table, and the float32 features that are written from it; 3.1 of 1 GB


def test_reading_csv_takes_less_than_four_times_its_size() -> None:
    ended = run([sys.executable, "-m", "tests.bench.csv_memory", str(MEGABYTES)], ROOT)
    assert ended.code == 0, ended.err
    found = re.search(r"([0-9.]+) x", ended.out)
    assert found, ended.out
    assert 0.5 < float(found[1]) < MOST
