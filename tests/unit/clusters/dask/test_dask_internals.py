"""What is used of Dask's `distributed` beyond its documented API is still there."""

import importlib.util

from tests.support.contracts import demand, missing
from tests.support.needs import need


def test_a_scheduler_describes_its_workers():
    need(importlib.util.find_spec("distributed") is not None, "distributed")
    import distributed
    from distributed.comm import core

    from foldproof.tasks.clusters.dask import dask_internals as internals

    gone = [
        *missing(core, "CommClosedError"),
        *missing(distributed.Client, "sync"),
        *missing(distributed.Scheduler, "identity"),
    ]
    demand("distributed", internals.READ_FROM, gone, internals.__name__)
    assert issubclass(internals.CommClosedError, OSError)
