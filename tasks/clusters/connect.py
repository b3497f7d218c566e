"""Reach the cluster that the settings name, or start one on this machine."""

import socket
from importlib.util import find_spec
from urllib.parse import urlsplit

from foldproof.tasks.clusters.protocol import ANSWER, Cluster
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.extras import install_command
from foldproof.tasks.config.compute import ComputeSpec

PACKAGES = {"dask": "distributed", "ray": "ray"}


def connect(compute: ComputeSpec) -> Cluster:
    """Reach the cluster of the settings, or start one on this machine.

    Raises:
        InputError: the engine is not installed, or nobody answers.
    """
    package = PACKAGES[compute.engine]
    if find_spec(package) is None:
        problem = f"{package} is not installed; {install_command(compute.engine)}"
        raise InputError("compute.engine", problem)
    if compute.address is not None:
        _see_who_answers(compute.address)
    if compute.engine == "dask":
        from foldproof.tasks.clusters.dask_cluster import DaskCluster

        return DaskCluster(compute)
    from foldproof.tasks.clusters.ray_cluster import RayCluster

    return RayCluster(compute)


def _see_who_answers(address: str) -> None:
    """Refuse an address at once, before an engine tries it for a minute."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.scheme not in ("tcp", "tls"):
        raise InputError("compute.address", f"{address!r} is not host:port; write both")
    try:
        socket.create_connection((host, port), timeout=ANSWER).close()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        problem = f"nobody answers at {address!r} ({reason}); start the cluster, or correct it"
        raise InputError("compute.address", problem) from None
