"""What foldproof needs of an engine: the nodes it has, and one call on one of them."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.machine.devices import place

PAUSE = 0.2  # seconds between two looks at whether a call is still worth waiting for

ANSWER = 5.0  # seconds that somebody at an address may take to answer


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


def slots_here(compute: ComputeSpec) -> int:
    """Return how many folds at a time a cluster on this machine offers."""
    return len(place(compute).devices)
