"""What foldproof needs of an engine: the nodes it has, and one call on one of them."""

import socket
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, Protocol
from urllib.parse import urlsplit

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.config.study import ComputeSpec
from foldproof.tasks.machine.devices import place

PAUSE = 0.2  # seconds between two looks at whether a call is still worth waiting for
ANSWER = 5.0  # seconds that somebody at an address may take to answer
PACKAGES = {"dask": "distributed", "ray": "ray"}


class Cluster(Protocol):
    """An engine's cluster."""

    def nodes(self) -> dict[str, int]:
        """Return how many folds at a time each node offers now, by the node's name.

        Raises:
            Disconnected: nobody answers.
        """

    def call(
        self,
        node: str,
        function: Callable[..., Any],
        *arguments: Any,
        fold: bool,
        waiting: Callable[[], None],
    ) -> Any:
        """Run a function on a node and return its result.

        Args:
            node: its name.
            function: an importable function.
            *arguments: of that; small ones.
            fold: it trains, so that it takes what the engine counts for a fold.
            waiting: called again and again meanwhile; what it raises ends the waiting.

        Raises:
            NodeLost: the node ended.
            Disconnected: the cluster cannot be reached.
        """

    def tell(self, nodes: Sequence[str], function: Callable[..., Any], *arguments: Any) -> None:
        """Run a short function on nodes, also busy ones; what it returns is lost."""

    def reconnect(self) -> None:
        """Try to reach the cluster again.

        Raises:
            Disconnected: nobody answers.
        """

    def close(self) -> None:
        """Leave the cluster; one that was started for the run ends."""


def connect(compute: ComputeSpec) -> Cluster:
    """Reach the cluster of the settings, or start one on this machine.

    Raises:
        InputError: the engine is not installed, or nobody answers.
    """
    package = PACKAGES[compute.engine]
    if find_spec(package) is None:
        remedy = f"pip install 'foldproof[{compute.engine}]'"
        raise InputError("compute.engine", f"{package} is not installed; {remedy}")
    if compute.address is not None:
        _see_who_answers(compute.address)
    if compute.engine == "dask":
        from foldproof.tasks.clusters.dask_cluster import DaskCluster

        return DaskCluster(compute)
    from foldproof.tasks.clusters.ray_cluster import RayCluster

    return RayCluster(compute)


def slots_here(compute: ComputeSpec) -> int:
    """Return how many folds at a time a cluster on this machine offers."""
    return len(place(compute).devices)


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
