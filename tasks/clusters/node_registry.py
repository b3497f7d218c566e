"""The registry of a run's cluster nodes and of their free slots.

A thread keeps it up to date: it removes lost nodes, admits new ones and sends heartbeats.
"""

import contextlib
import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Sized
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

LOG = logging.getLogger(__name__)

POLL_INTERVAL_S = 2.0  # between two queries of the cluster
HEARTBEAT_INTERVAL_S = 10.0  # between two heartbeats to all nodes
NO_NODE_TIMEOUT_S = 60.0  # without any node, after which a run ends
JOIN_TIMEOUT_S = 120.0  # for a node to join
LATE_NODE_S = 10.0  # after the first node is ready, until the run goes on without the last ones
FILE_VISIBLE_TIMEOUT_S = 10.0  # for a node's file to appear here, on a slow file system


@dataclass(frozen=True)
class NodeSlot:
    """One slot of a node, by its index there, since the node joined for the nth time."""

    node: str
    index: int
    joined: int = 1


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
        self._changed = threading.Condition(threading.RLock())
        self._empty_since: float | None = None
        self._joining: dict[str, int] = {}  # nodes that were asked to, with the slots they offer
        self._joins: Counter[str] = Counter()  # how often each node has
        self._receiving: set[str] = set()  # nodes that get the data now; they train no fold yet
        self._is_beating = self._is_odd = False

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
        self._start_heartbeats()
        for name, offer in self._share(found).items():
            self._start_joining(name, offer)
        # With `compute.mixed` the keys name all nodes' numerics, so that all are waited for.
        is_mixed = self.policy.request.compute.mixed
        self._wait_for_last(self._joining, lambda: bool(self.nodes) and not is_mixed)
        if not self.nodes:
            name, why = next(iter(self._refused.items()), ("", "no node offers a slot"))
            field, _, problem = why.partition(": ")
            known = field if problem and "." in field and " " not in field else ""
            text = f"node {name}: {problem if known else why}"
            raise InputError(known or "compute.address", text)

    def _wait_for_last(self, pending: Sized, is_enough: Callable[[], bool]) -> None:
        """Wait until no node is pending; not long for the last ones, once there are enough."""
        first_at: float | None = None
        with self._changed:
            while pending:
                self._check()
                if is_enough():
                    first_at = first_at or time.monotonic()
                    if time.monotonic() - first_at > LATE_NODE_S:
                        return
                self._changed.wait(timeout=POLL_INTERVAL_S / 4)

    def _start_joining(self, name: str, offer: int) -> None:
        with self._changed:
            self._joining[name] = offer
        threading.Thread(target=self._join, args=(name, offer), daemon=True).start()

    def _start_heartbeats(self) -> None:
        """Send heartbeats from a thread that waits for nothing else."""
        if not self._is_beating:
            self._is_beating = True
            threading.Thread(target=self._beat, name="cluster-heartbeat", daemon=True).start()

    def _beat(self) -> None:
        while not self.stopped.wait(HEARTBEAT_INTERVAL_S):
            with contextlib.suppress(Exception):  # the monitor will see what is wrong
                self.cluster.broadcast(self._names(), remote.heartbeat, self.policy.request.run)

    def _names(self) -> list[str]:
        with self._changed:
            return list(self.nodes)

    def pin_numerics(self, fingerprints: tuple[dict[str, Any], ...]) -> None:
        """Admit only nodes with these numerics from now on: they are in the run's key."""
        self.policy = replace(self.policy, fingerprints=fingerprints)

    def slot_count(self) -> int:
        """Return the number of slots on all present nodes."""
        with self._changed:
            return sum(len(info.devices) for info in self.nodes.values())

    def start_monitoring(self) -> None:
        """Start the thread that keeps the registry up to date."""
        self._start_heartbeats()
        threading.Thread(target=self._monitor, name="cluster-watch", daemon=True).start()

    def distribute_data(self, reference: DataReference) -> None:
        """Send the data reference to every node, also to those that join later.

        A node trains folds as soon as it has the data; the last ones are not waited for long.

        Raises:
            InputError: no node can; with the reason of the first.
            Interrupted: the run was stopped.
            ClusterLost: no node came back.
        """
        with self._changed:
            self._reference = reference
            names = list(self.nodes)  # later ones get it when they join
            self._receiving.update(names)
        for name in names:
            threading.Thread(target=self._hand_out, args=(name,), daemon=True).start()
        self._wait_for_last(self._receiving, lambda: bool(self._ready()))
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
            while not (ready := self._ready()):
                self._check()
                self._changed.wait(timeout=POLL_INTERVAL_S)
            self._check()
            place = before if before in ready else ready[0]
            assert place is not None
            self._free.remove(place)
            return place

    def _ready(self) -> list[NodeSlot]:
        return [place for place in self._free if place.node not in self._receiving]

    def release(self, place: NodeSlot) -> None:
        """Give a slot back; drop it if its node is gone, or has joined anew meanwhile."""
        with self._changed:
            if self._is_current(place) and place not in self._free:
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
        waiting = self._cancel_if_gone(place.node, place.joined)
        answer: Answer = self._call(place.node, waiting, function, *arguments, fold=True)
        if not answer.known:
            raise NodeLost("the node was restarted")
        return answer

    def stop(self) -> None:
        """Release all nodes and disconnect from the cluster."""
        self.stopped.set()
        with self._changed:
            self._changed.notify_all()
        self.cluster.broadcast(self._names(), remote.leave, self.policy.request.run)
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

    def _is_current(self, place: NodeSlot) -> bool:
        return place.node in self.nodes and self._joins[place.node] == place.joined

    def _cancel_if_gone(self, name: str, joined: int) -> Callable[[], None]:
        def waiting() -> None:
            if self.stopped.is_set():
                raise Interrupted("the run was stopped")
            if not self._is_current(NodeSlot(name, 0, joined)):
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
        """Ask a node to join, and admit or reject it; in a thread of its own."""
        try:
            self._ask_to_join(name, offer)
        except (Interrupted, Disconnected):
            return  # another look will tell whether it is still there
        except NodeLost as error:
            self._refuse(name, str(error))
        except ImportError as error:
            self._refuse(name, f"cannot import foldproof ({error}); install the same version there")
        except Exception as error:
            self._refuse_odd(name, "join", error)
        finally:
            with self._changed:
                self._joining.pop(name, None)
                self._changed.notify_all()

    def _ask_to_join(self, name: str, offer: int) -> None:
        compute = self.policy.request.compute.model_copy(update={"workers": offer})
        request = replace(self.policy.request, compute=compute)
        waiting = self._cancel_after(time.monotonic() + JOIN_TIMEOUT_S)
        info: NodeInfo = self._call(name, waiting, remote.join, request)
        with self._changed:
            why = rejection_reason(info, self.policy)
            if not why:
                if not compute.mixed and not self.policy.fingerprints:  # GPUs unlike any here
                    self.pin_numerics((info.fingerprint,))
                self.nodes[name] = info
                self._joins[name] += 1
        if why:
            self._refuse(name, why)
        elif self._reference is None or self._send_data(name):
            self._offer_slots(name, info)

    def _hand_out(self, name: str) -> None:
        """Send a node the data; in a thread of its own."""
        try:
            self._send_data(name)
        except Interrupted:
            return
        except Exception as error:
            self._refuse_odd(name, "get the data", error)
        finally:
            with self._changed:
                self._receiving.discard(name)
                self._changed.notify_all()

    def _refuse_odd(self, name: str, what: str, error: Exception) -> None:
        """Refuse a node for whatever another version there answers with."""
        LOG.debug("%s cannot %s", name, what, exc_info=True)
        problem = f"{type(error).__name__}: {error}"
        self._refuse(name, f"cannot {what} ({problem}); install the same version there")

    def _offer_slots(self, name: str, info: NodeInfo) -> None:
        with self._changed:
            if self.nodes.get(name) is not info:  # it is gone already
                return
            joined = self._joins[name]
            self._free += [NodeSlot(name, index, joined) for index in range(len(info.devices))]
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
        waiting = self._cancel_if_gone(name, self._joins[name])
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
                self._look_after()

    def _look_after(self) -> None:
        """Update the nodes; what goes wrong is said once, and the next look may go better."""
        try:
            self._update_nodes()
        except Interrupted:
            raise
        except Exception as error:
            LOG.debug("looking after the cluster failed", exc_info=True)
            if not self._is_odd:
                self._is_odd = True
                self._tell(f"the cluster answers oddly: {type(error).__name__}: {error}")

    def _update_nodes(self) -> None:
        try:
            there = self.cluster.nodes()
        except Disconnected:
            there = {}
            with contextlib.suppress(Disconnected):
                self.cluster.reconnect()
        for name in [name for name in self._names() if name not in there]:
            self.remove(name)
        self._admit_new_nodes(there)
        if self.nodes:
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = time.monotonic()

    def _admit_new_nodes(self, there: dict[str, int]) -> None:
        for name, offer in there.items():
            if name in self.nodes or name in self._refused or name in self._joining:
                continue
            taken = self.slot_count() + sum(self._joining.values())
            wanted = offer if self._most is None else min(offer, self._most - taken)
            if wanted > 0:
                self._start_joining(name, wanted)
