"""What climbs over a run is told, and what merely varies is not."""

import numpy as np
import pytest

from foldproof.tasks.folds.job import FoldRecord
from foldproof.tasks.workers.drift import drift_warnings

FLAT = np.full(12, 2.0)
NOISE = np.array([2.0, 2.6, 1.9, 2.8, 2.1, 2.0, 2.9, 1.8, 2.2, 2.7, 1.9, 2.4])


def warnings(seconds, memory, rows=None, slot="cpu:0", **more):
    records = [
        FoldRecord(str(i), 0, i, slot=slot, seconds=float(s), memory=float(m), **more)
        for i, (s, m) in enumerate(zip(seconds, memory, strict=True))
    ]
    sizes = np.full(len(records), 100) if rows is None else rows
    return list(drift_warnings(records, {str(i): int(size) for i, size in enumerate(sizes)}))


@pytest.mark.parametrize("seconds", [FLAT, NOISE, NOISE[::-1], np.linspace(4, 2, 12)])
def test_a_steady_run_has_no_warning(seconds):
    assert warnings(seconds, 700 + 6.0 * np.arange(12)) == []


def test_folds_that_take_ever_longer_are_told():
    (told,) = warnings(np.linspace(2, 5, 12), FLAT)
    assert told.startswith("folds on cpu:0 took 2.0 times as long at the end of the run")


def test_folds_that_grow_may_take_longer():
    assert warnings(np.linspace(2, 5, 12), FLAT, rows=np.linspace(200, 500, 12)) == []


def test_memory_that_climbs_is_told_though_workers_are_replaced():
    memory = 700 + 40.0 * (np.arange(12) % 6)
    (told,) = warnings(FLAT, memory)
    assert told.startswith("the memory of the worker on cpu:0 climbs by 40 MiB a fold")


def test_few_folds_and_stored_ones_tell_nothing():
    assert warnings(np.linspace(2, 9, 8), 100 * np.arange(8)) == []
    assert warnings(np.linspace(2, 9, 12), 100 * np.arange(12), cached=True) == []
