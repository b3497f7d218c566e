"""A table of 600 MB in a worker that may take half of that: the bits of a run without a limit."""

import json
import sys

import pytest

from foldproof.tasks.machine.memory import CAN_LIMIT
from tests.bench.larger_than_memory import HEADROOM
from tests.support.command import run
from tests.support.places import ROOT

pytestmark = pytest.mark.long

MEGABYTES, PATIENCE_S = 600, 900.0


@pytest.mark.skipif(not CAN_LIMIT, reason="only Linux limits private memory")
def test_a_table_of_twice_the_memory_gives_the_same_digests() -> None:
    command = [sys.executable, "-m", "tests.bench.larger_than_memory", str(MEGABYTES), "--compare"]
    ended = run(command, ROOT, PATIENCE_S)
    assert ended.code == 0, ended.err
    found = json.loads(ended.out.splitlines()[-1])
    assert found["streamed"]
    assert not found["unlimited"]["streamed"]
    assert found["digests"] == found["unlimited"]["digests"]
    assert found["flow_mib"] < HEADROOM, "the process that reads the table must not hold it"
