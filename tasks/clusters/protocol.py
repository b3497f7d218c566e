"""The interface that a cluster engine implements: list the nodes, call a function on one."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.machine.devices import place

POLL_INTERVAL_S = 0.2  # between checks whether a running call should be given up
ANSWER_TIMEOUT_S = 5.0  # for a server to answer at an address


class Cluster(Protocol):
    """A cluster of nodes that run functions for this process."""

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
            fold: the call trains a fold, so reserve the engine's resources for one.
            waiting: called repeatedly while waiting; raises to cancel the call.

        Raises:
            NodeLost: the node ended.
            Disconnected: the cluster cannot be reached.
        """

    def broadcast(
        self, nodes: Sequence[str], function: Callable[..., Any], *arguments: Any
    ) -> None:
        """Run a short function on several nodes, busy ones as well, and drop its result."""

    def reconnect(self) -> None:
        """Try to reach the cluster again.

        Raises:
            Disconnected: nobody answers.
        """

    def close(self) -> None:
        """Disconnect from the cluster, and shut it down if it was started for this run."""


def local_slot_count(compute: ComputeSpec) -> int:
    """Return how many folds at a time a cluster on this machine offers."""
    return len(place(compute).devices)
