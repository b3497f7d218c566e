"""The registry of a run's cluster nodes and of their free slots.

A thread keeps it up to date: it removes lost nodes, admits new ones and sends heartbeats.
"""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from foldproof.tasks.clusters import node_agent as remote
from foldproof.tasks.clusters.admission import AdmissionPolicy, rejection_reason
from foldproof.tasks.clusters.messages import Answer, DataReference, NodeInfo
from foldproof.tasks.clusters.protocol import Cluster
from foldproof.tasks.common.errors import (
    ClusterLost,
    Disconnected,
    InputError,
    Interrupted,
    NodeLost,
)

POLL_INTERVAL_S = 2.0  # between two queries of the cluster
HEARTBEAT_INTERVAL_S = 10.0  # between two heartbeats to all nodes
NO_NODE_TIMEOUT_S = 60.0  # without any node, after which a run ends
JOIN_TIMEOUT_S = 120.0  # for a node to join
FILE_VISIBLE_TIMEOUT_S = 10.0  # for a node's file to appear here, on a slow file system


@dataclass(frozen=True)
class NodeSlot:
    """One slot of a node, by its index there."""

    node: str
    index: int


class NodeRegistry:
    """The nodes that take part in a run, and their free slots."""

    def __init__(
        self,
        cluster: Cluster,
        policy: AdmissionPolicy,
        most: int | None,
        tell: Callable[[str], None],
    ) -> None:
        """Start with an empty registry.

        Args:
            cluster: the cluster to take nodes from.
            policy: the requirements for nodes.
            most: the highest number of slots to use; None for all.
            tell: shows a line to the user.
        """
        self._most = most
        self.cluster, self.policy = cluster, policy
        self.nodes: dict[str, NodeInfo] = {}
        self.stopped = threading.Event()
        self.on_more_slots: Callable[[int], None] = lambda places: None
        self._tell = tell
        self._reference: DataReference | None = None
        self._refused: dict[str, str] = {}
        self._free: list[NodeSlot] = []
        self._changed = threading.Condition()
        self._empty_since: float | None = None
        self._heartbeat_at = 0.0

    def wait_for_nodes(self) -> None:
        """Wait until the cluster has nodes, and let them join.

        Raises:
            InputError: no node can train; with the reason of the first.
        """
        deadline = time.monotonic() + NO_NODE_TIMEOUT_S
        while not (found := self._find_nodes()):
            if time.monotonic() > deadline:
                problem = (
                    f"no worker joined the cluster in {NO_NODE_TIMEOUT_S:g} seconds; start some"
                )
                raise InputError("compute.address", problem)
            self._wait(POLL_INTERVAL_S / 4)
        for name, offer in self._share(found).items():
            self._join(name, offer)
        if not self.nodes:
            name, why = next(iter(self._refused.items()), ("", "no node offers a slot"))
            field, _, problem = why.partition(": ")
            known = field if problem and "." in field and " " not in field else ""
            text = f"node {name}: {problem if known else why}"
            raise InputError(known or "compute.address", text)

    def pin_numerics(self, fingerprints: tuple[dict[str, Any], ...]) -> None:
        """Admit only nodes with these numerics from now on: they are in the run's key."""
        self.policy = replace(self.policy, fingerprints=fingerprints)

    def slot_count(self) -> int:
        """Return the number of slots on all present nodes."""
        return sum(len(info.devices) for info in self.nodes.values())

    def start_monitoring(self) -> None:
        """Start the thread that keeps the registry up to date and sends heartbeats."""
        threading.Thread(target=self._monitor, name="cluster-watch", daemon=True).start()

    def distribute_data(self, reference: DataReference) -> None:
        """Send the data reference to every node, also to those that join later.

        Raises:
            InputError: no node can; with the reason of the first.
        """
        self._reference = reference
        names = list(self.nodes)  # later ones get it when they join
        threads = [threading.Thread(target=self._send_data, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if names and not self.nodes:
            lost = "compute.address: was lost while it got the data; see to it and start again"
            field, _, problem = self._refused.get(names[0], lost).partition(": ")
            raise InputError(field, f"node {names[0]}: {problem}")

    def acquire(self, before: NodeSlot | None) -> NodeSlot:
        """Wait for a free slot and take it, preferably the previous one.

        Raises:
            Interrupted: the run was stopped.
            ClusterLost: no node came back.
        """
        with self._changed:
            while not self._free:
                self._check()
                self._changed.wait(timeout=POLL_INTERVAL_S)
            self._check()
            place = before if before in self._free else self._free[0]
            assert place is not None
            self._free.remove(place)
            return place

    def release(self, place: NodeSlot) -> None:
        """Give a slot back; drop it if its node is gone."""
        with self._changed:
            if place.node in self.nodes and place not in self._free:
                self._free.append(place)
            self._changed.notify_all()

    def remove(self, name: str) -> None:
        """Remove a node and its slots; it may join again."""
        with self._changed:
            self.nodes.pop(name, None)
            self._free = [place for place in self._free if place.node != name]
            self._changed.notify_all()

    def call(self, place: NodeSlot, function: Callable[..., Any], *arguments: Any) -> Answer:
        """Call a function in a node's slot, for a fold.

        Raises:
            NodeLost, Disconnected: as the cluster's.
            Interrupted: the run was stopped.
        """
        waiting = self._cancel_if_gone(place.node)
        answer: Answer = self._call(place.node, waiting, function, *arguments, fold=True)
        if not answer.known:
            raise NodeLost("the node was restarted")
        return answer

    def stop(self) -> None:
        """Release all nodes and disconnect from the cluster."""
        self.stopped.set()
        with self._changed:
            self._changed.notify_all()
        self.cluster.broadcast(list(self.nodes), remote.leave, self.policy.request.run)
        self.cluster.close()

    def _call(
        self,
        name: str,
        waiting: Callable[[], None],
        function: Callable[..., Any],
        *arguments: Any,
        fold: bool = False,
    ) -> Any:
        return self.cluster.call(name, function, *arguments, fold=fold, waiting=waiting)

    def _cancel_if_gone(self, name: str) -> Callable[[], None]:
        def waiting() -> None:
            if self.stopped.is_set():
                raise Interrupted("the run was stopped")
            if name not in self.nodes:
                raise NodeLost("the node is gone")

        return waiting

    def _cancel_after(self, deadline: float) -> Callable[[], None]:
        def waiting() -> None:
            if self.stopped.is_set():
                raise Interrupted("the run was stopped")
            if time.monotonic() > deadline:
                raise NodeLost("does not answer; its slots may be taken by others")

        return waiting

    def _check(self) -> None:
        if self.stopped.is_set():
            raise Interrupted("the run was stopped")
        since = self._empty_since
        if since is not None and not self.nodes and time.monotonic() - since > NO_NODE_TIMEOUT_S:
            problem = f"the cluster did not come back in {NO_NODE_TIMEOUT_S:g} seconds"
            raise ClusterLost(f"{problem}; finished folds are stored, the same command goes on")

    def _wait(self, seconds: float) -> None:
        if self.stopped.wait(seconds):
            raise Interrupted("the run was stopped")

    def _find_nodes(self) -> dict[str, int]:
        """Return the nodes that are there and not refused."""
        try:
            return {n: o for n, o in self.cluster.nodes().items() if n not in self._refused}
        except Disconnected:
            return {}

    def _share(self, found: dict[str, int]) -> dict[str, int]:
        """Divide the wanted places over the nodes, one at a time in turn."""
        left = sum(found.values()) if self._most is None else self._most
        shares = dict.fromkeys(found, 0)
        while left > 0 and shares != found:
            for name in [name for name in found if shares[name] < found[name]][:left]:
                shares[name] += 1
                left -= 1
        return {name: share for name, share in shares.items() if share}

    def _join(self, name: str, offer: int) -> None:
        """Ask a node to join, and admit or reject it."""
        compute = self.policy.request.compute.model_copy(update={"workers": offer})
        request = replace(self.policy.request, compute=compute)
        try:
            waiting = self._cancel_after(time.monotonic() + JOIN_TIMEOUT_S)
            info: NodeInfo = self._call(name, waiting, remote.join, request)
            why = rejection_reason(info, self.policy)
        except Disconnected:
            return  # another look will tell whether it is still there
        except NodeLost as error:
            why = str(error)
        except ImportError as error:
            why = f"cannot import foldproof ({error}); install the same version there"
        if why:
            self._refuse(name, why)
            return
        if not compute.mixed and not self.policy.fingerprints:  # GPUs that this machine has none of
            self.pin_numerics((info.fingerprint,))
        self.nodes[name] = info
        if self._reference is not None and not self._send_data(name):
            return
        with self._changed:
            self._free += [NodeSlot(name, index) for index in range(len(info.devices))]
            self._changed.notify_all()
        self.on_more_slots(self.slot_count())

    def _refuse(self, name: str, why: str) -> None:
        self._refused[name] = why
        self._tell(f"node {name} is refused: {why}")
        self.remove(name)
        self.cluster.broadcast([name], remote.leave, self.policy.request.run)

    def _send_data(self, name: str) -> bool:
        """Send a node the data reference; reject it if its output folder is not ours."""
        assert self._reference is not None
        probe = f".probe-{secrets.token_hex(8)}"
        run, reference = self.policy.request.run, self._reference
        waiting = self._cancel_if_gone(name)
        try:
            answer: Answer = self._call(name, waiting, remote.receive_data, run, reference, probe)
            why = str(answer.error) if answer.error else self._probe_problem(reference, probe)
        except (NodeLost, Disconnected) as error:
            self._tell(f"node {name} was lost: {error}")
            self.remove(name)
            return False
        if why:
            self._refuse(name, why)
        return not why

    def _probe_problem(self, reference: DataReference, probe: str) -> str:
        if reference.out is None:
            return ""
        path, deadline = reference.out / "folds" / probe, time.monotonic() + FILE_VISIBLE_TIMEOUT_S
        while True:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                return ""
            if time.monotonic() > deadline:
                return f"out: {str(reference.out)!r} is another folder there; give one all see"
            self._wait(0.1)

    def _monitor(self) -> None:
        while not self.stopped.wait(POLL_INTERVAL_S):
            with contextlib.suppress(Interrupted):
                self._update_nodes()

    def _update_nodes(self) -> None:
        try:
            there = self.cluster.nodes()
        except Disconnected:
            there = {}
            with contextlib.suppress(Disconnected):
                self.cluster.reconnect()
        for name in [name for name in self.nodes if name not in there]:
            self.remove(name)
        self._admit_new_nodes(there)
        if time.monotonic() - self._heartbeat_at > HEARTBEAT_INTERVAL_S:
            self._heartbeat_at = time.monotonic()
            self.cluster.broadcast(list(self.nodes), remote.heartbeat, self.policy.request.run)
        if self.nodes:
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = time.monotonic()

    def _admit_new_nodes(self, there: dict[str, int]) -> None:
        for name, offer in there.items():
            wanted = offer if self._most is None else min(offer, self._most - self.slot_count())
            if name in self.nodes or name in self._refused or wanted < 1:
                continue
            with contextlib.suppress(Disconnected, NodeLost):
                self._join(name, wanted)
