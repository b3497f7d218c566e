"""Connect to the cluster in the settings, or start one on this machine."""

import socket
from urllib.parse import urlsplit

from foldproof.tasks.clusters.protocol import ANSWER_TIMEOUT_S, Cluster
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.extras import refuse_missing
from foldproof.tasks.config.compute import ComputeSpec

PACKAGES = {"dask": "distributed", "ray": "ray"}


def connect(compute: ComputeSpec) -> Cluster:
    """Connect to the cluster in the settings, or start one on this machine.

    Raises:
        InputError: the engine is not installed, or nobody answers.
    """
    refuse_missing("compute.engine", PACKAGES[compute.engine], compute.engine)
    if compute.address is not None:
        _check_reachable(compute.address)
    if compute.engine == "dask":
        from foldproof.tasks.clusters.dask.dask_cluster import DaskCluster

        return DaskCluster(compute)
    from foldproof.tasks.clusters.ray_cluster import RayCluster

    return RayCluster(compute)


def _check_reachable(address: str) -> None:
    """Reject an address where nothing listens, before the engine retries it for a minute."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.scheme not in ("tcp", "tls"):
        raise InputError("compute.address", f"{address!r} is not host:port; write both")
    try:
        socket.create_connection((host, port), timeout=ANSWER_TIMEOUT_S).close()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        problem = f"nobody answers at {address!r} ({reason}); start the cluster, or correct it"
        raise InputError("compute.address", problem) from None
