"""Which nodes take part in a run, and which of their places are free.

A thread looks after them: it strikes lost nodes off, takes up new ones, and tells all of
them that the flow's process lives.
"""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from foldproof.tasks.clusters import node_agent as remote
from foldproof.tasks.clusters.admission import Terms, objection
from foldproof.tasks.clusters.messages import Answer, DataReference, Passport
from foldproof.tasks.clusters.protocol import Cluster
from foldproof.tasks.common.errors import (
    ClusterLost,
    Disconnected,
    InputError,
    Interrupted,
    NodeLost,
)

LOOK = 2.0  # seconds between two looks at the cluster
PULSE = 10.0  # seconds between two words to all nodes
PATIENCE = 60.0  # seconds without any node after which a run ends
JOINING = 120.0  # seconds that a node may take to join
SIGHT = 10.0  # seconds until a file that a node wrote is seen here, on a slow file system


@dataclass(frozen=True)
class Place:
    """One slot on a node: `index` is its number there."""

    node: str
    index: int


class Roster:
    """The nodes of a run and their free places."""

    def __init__(
        self, cluster: Cluster, terms: Terms, most: int | None, tell: Callable[[str], None]
    ) -> None:
        """Know no node yet.

        Args:
            cluster: where they are.
            terms: what they are measured by.
            most: how many places are wanted; None: all.
            tell: takes a line for the user.
        """
        self._most = most
        self.cluster, self.terms = cluster, terms
        self.passports: dict[str, Passport] = {}
        self.stopped = threading.Event()
        self.on_new: Callable[[int], None] = lambda places: None
        self._tell = tell
        self._reference: DataReference | None = None
        self._refused: dict[str, str] = {}
        self._free: list[Place] = []
        self._changed = threading.Condition()
        self._alone_since: float | None = None
        self._heard = 0.0

    def gather(self) -> None:
        """Wait for nodes and let those that are there join.

        Raises:
            InputError: there is none that can train, with the reason of the first.
        """
        deadline = time.monotonic() + PATIENCE
        while not (found := self._look()):
            if time.monotonic() > deadline:
                problem = f"no worker joined the cluster in {PATIENCE:g} seconds; start some"
                raise InputError("compute.address", problem)
            self._wait(LOOK / 4)
        for name, offer in self._share(found).items():
            self._join(name, offer)
        if not self.passports:
            name, why = next(iter(self._refused.items()), ("", "no node offers a slot"))
            field, _, problem = why.partition(": ")
            known = field if problem and "." in field and " " not in field else ""
            text = f"node {name}: {problem if known else why}"
            raise InputError(known or "compute.address", text)

    def settle(self, prints: tuple[dict[str, Any], ...]) -> None:
        """Measure later nodes by these numerics, which are in the run's key."""
        self.terms = replace(self.terms, prints=prints)

    def places(self) -> int:
        """Return how many folds at a time the nodes train that are there now."""
        return sum(len(passport.devices) for passport in self.passports.values())

    def keep_watch(self) -> None:
        """Look after the nodes from now on."""
        threading.Thread(target=self._watch, name="cluster-watch", daemon=True).start()

    def hand_out(self, reference: DataReference) -> None:
        """Let every node get the data, one that joins later, too.

        Raises:
            InputError: no node can; with the reason of the first.
        """
        self._reference = reference
        names = list(self.passports)  # later ones get it when they join
        threads = [threading.Thread(target=self._give_data, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if names and not self.passports:
            lost = "compute.address: was lost while it got the data; see to it and start again"
            field, _, problem = self._refused.get(names[0], lost).partition(": ")
            raise InputError(field, f"node {names[0]}: {problem}")

    def take(self, before: Place | None) -> Place:
        """Wait for a free place and take it; the one before, where it is free.

        Raises:
            Interrupted: the run was stopped.
            ClusterLost: no node came back.
        """
        with self._changed:
            while not self._free:
                self._check()
                self._changed.wait(timeout=LOOK)
            self._check()
            place = before if before in self._free else self._free[0]
            assert place is not None
            self._free.remove(place)
            return place

    def release(self, place: Place) -> None:
        """Give a place back; one of a node that is gone is forgotten."""
        with self._changed:
            if place.node in self.passports and place not in self._free:
                self._free.append(place)
            self._changed.notify_all()

    def lose(self, name: str) -> None:
        """Strike a node off; it may join again."""
        with self._changed:
            self.passports.pop(name, None)
            self._free = [place for place in self._free if place.node != name]
            self._changed.notify_all()

    def call(self, place: Place, function: Callable[..., Any], *arguments: Any) -> Answer:
        """Make a call for a fold at a place.

        Raises:
            NodeLost, Disconnected: as the cluster's.
            Interrupted: the run was stopped.
        """
        waiting = self._while_there(place.node)
        answer: Answer = self._call(place.node, waiting, function, *arguments, fold=True)
        if not answer.known:
            raise NodeLost("the node was restarted")
        return answer

    def stop(self) -> None:
        """Let all nodes leave the run, and leave the cluster."""
        self.stopped.set()
        with self._changed:
            self._changed.notify_all()
        self.cluster.tell(list(self.passports), remote.leave, self.terms.request.run)
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

    def _while_there(self, name: str) -> Callable[[], None]:
        def waiting() -> None:
            if self.stopped.is_set():
                raise Interrupted("the run was stopped")
            if name not in self.passports:
                raise NodeLost("the node is gone")

        return waiting

    def _until(self, deadline: float) -> Callable[[], None]:
        def waiting() -> None:
            if self.stopped.is_set():
                raise Interrupted("the run was stopped")
            if time.monotonic() > deadline:
                raise NodeLost("does not answer; its slots may be taken by others")

        return waiting

    def _check(self) -> None:
        if self.stopped.is_set():
            raise Interrupted("the run was stopped")
        since = self._alone_since
        if since is not None and not self.passports and time.monotonic() - since > PATIENCE:
            problem = f"the cluster did not come back in {PATIENCE:g} seconds"
            raise ClusterLost(f"{problem}; finished folds are stored, the same command goes on")

    def _wait(self, seconds: float) -> None:
        if self.stopped.wait(seconds):
            raise Interrupted("the run was stopped")

    def _look(self) -> dict[str, int]:
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
        """Let a node join, or refuse it with a line."""
        compute = self.terms.request.compute.model_copy(update={"workers": offer})
        request = replace(self.terms.request, compute=compute)
        try:
            waiting = self._until(time.monotonic() + JOINING)
            passport: Passport = self._call(name, waiting, remote.join, request)
            why = objection(passport, self.terms)
        except Disconnected:
            return  # another look will tell whether it is still there
        except NodeLost as error:
            why = str(error)
        except ImportError as error:
            why = f"cannot import foldproof ({error}); install the same version there"
        if why:
            self._refuse(name, why)
            return
        if not compute.mixed and not self.terms.prints:  # GPUs that this machine has none of
            self.settle((passport.fingerprint,))
        self.passports[name] = passport
        if self._reference is not None and not self._give_data(name):
            return
        with self._changed:
            self._free += [Place(name, index) for index in range(len(passport.devices))]
            self._changed.notify_all()
        self.on_new(self.places())

    def _refuse(self, name: str, why: str) -> None:
        self._refused[name] = why
        self._tell(f"node {name} is refused: {why}")
        self.lose(name)
        self.cluster.tell([name], remote.leave, self.terms.request.run)

    def _give_data(self, name: str) -> bool:
        """Let a node get the data, and look for its probe; refuse it with a line otherwise."""
        assert self._reference is not None
        probe = f".probe-{secrets.token_hex(8)}"
        run, reference = self.terms.request.run, self._reference
        waiting = self._while_there(name)
        try:
            answer: Answer = self._call(name, waiting, remote.take_data, run, reference, probe)
            why = str(answer.error) if answer.error else self._unseen(reference, probe)
        except (NodeLost, Disconnected) as error:
            self._tell(f"node {name} was lost: {error}")
            self.lose(name)
            return False
        if why:
            self._refuse(name, why)
        return not why

    def _unseen(self, reference: DataReference, probe: str) -> str:
        if reference.out is None:
            return ""
        path, deadline = reference.out / "folds" / probe, time.monotonic() + SIGHT
        while True:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                return ""
            if time.monotonic() > deadline:
                return f"out: {str(reference.out)!r} is another folder there; give one all see"
            self._wait(0.1)

    def _watch(self) -> None:
        while not self.stopped.wait(LOOK):
            with contextlib.suppress(Interrupted):
                self._look_after()

    def _look_after(self) -> None:
        try:
            there = self.cluster.nodes()
        except Disconnected:
            there = {}
            with contextlib.suppress(Disconnected):
                self.cluster.reconnect()
        for name in [name for name in self.passports if name not in there]:
            self.lose(name)
        self._take_up(there)
        if time.monotonic() - self._heard > PULSE:
            self._heard = time.monotonic()
            self.cluster.tell(list(self.passports), remote.hear, self.terms.request.run)
        if self.passports:
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = time.monotonic()

    def _take_up(self, there: dict[str, int]) -> None:
        for name, offer in there.items():
            wanted = offer if self._most is None else min(offer, self._most - self.places())
            if name in self.passports or name in self._refused or wanted < 1:
                continue
            with contextlib.suppress(Disconnected, NodeLost):
                self._join(name, wanted)
