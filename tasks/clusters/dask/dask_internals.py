"""The names of Dask's `distributed` that are undocumented, each behind a plain one.

Read from distributed 2026.8.0; `test_dask_internals` fails when one of them changes.
"""

from typing import Any

from distributed.comm.core import CommClosedError as CommClosedError

READ_FROM = "2026.8.0"


def describe_workers(client: Any) -> dict[str, dict[str, Any]]:
    """Return what a scheduler knows of each of its workers, by the worker's address.

    The public `scheduler_info` returns what the client was told last, and not all of them.
    """
    workers: dict[str, dict[str, Any]] = client.sync(client.scheduler.identity, n_workers=-1)[
        "workers"
    ]
    return workers
