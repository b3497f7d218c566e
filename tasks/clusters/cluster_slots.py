"""Slots on a cluster, used by a run as those on this machine (`workers/protocol.py`)."""

import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from foldproof.tasks.clusters import node_agent as node
from foldproof.tasks.clusters.admission import AdmissionPolicy, common_numerics
from foldproof.tasks.clusters.connect import connect
from foldproof.tasks.clusters.messages import DataReference, JoinRequest
from foldproof.tasks.clusters.node_code import code_here, modules_to_have
from foldproof.tasks.clusters.node_registry import NO_NODE_TIMEOUT_S, NodeRegistry, NodeSlot
from foldproof.tasks.common.errors import Disconnected, InputError, NodeLost, WorkerLost
from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.config.study import Study
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.folds.paths import is_remote
from foldproof.tasks.folds.split.plan import FoldPlan
from foldproof.tasks.machine.devices import Device, Placement, place
from foldproof.tasks.machine.numerics import Numerics
from foldproof.tasks.user_code.search_path import import_folders
from foldproof.tasks.workers import in_worker
from foldproof.tasks.workers.slot_queue import SlotQueue

T = TypeVar("T")


class RemoteSlot:
    """A slot that runs each call on whichever node of the cluster has a free slot."""

    def __init__(self, name: str, registry: NodeRegistry, scratch: Path) -> None:
        """Describe a slot; the first call binds it to a node."""
        self.name = name
        self.progress_path = scratch / f"progress-{name.replace(':', '-')}"
        self._registry = registry
        self._before: NodeSlot | None = None

    def run(self, function: Callable[..., T], *arguments: Any, timeout: float | None = None) -> T:
        """Run a function in a worker on the cluster and return its result.

        Raises:
            WorkerLost: the process there died, or its node.
            FoldTimeout: it ran past the timeout and was killed.
            Interrupted: the slot was stopped.
            ClusterLost: the cluster is gone.
        """
        known = _stored_when(arguments)
        while True:
            place = self._before = self._registry.acquire(self._before)
            run = self._registry.policy.request.run
            try:
                call = (run, place.index, function, arguments, timeout)
                answer = self._registry.call(place, node.perform, *call)
            except (NodeLost, Disconnected) as error:
                self._registry.remove(place.node)
                found = _stored_since(known, function, arguments)
                if found is not None:
                    return found  # type: ignore[return-value]
                if isinstance(error, NodeLost):
                    raise WorkerLost(str(error)) from None
                continue  # nobody knows what became of the call, and the fold is not to blame
            finally:
                self._registry.release(place)
            if answer.error is not None:
                raise answer.error
            result: T = answer.value
            return result

    def watch(self, memory: float, successor: Callable[..., Any], *arguments: Any) -> None:
        """Do nothing: the node watches its workers."""

    def kill_workers(self) -> None:
        """Do nothing: a place has no worker of its own between two calls."""

    def stop(self) -> None:
        """Do nothing: a call ends when the registry is stopped."""


class ClusterSlots(SlotQueue):
    """All slots of a run on a cluster."""

    def __init__(
        self, study: Study, tensorflow: bool, scratch: Path, tell: Callable[[str], None]
    ) -> None:
        """Reach the cluster and let its nodes join.

        Raises:
            InputError: there is no cluster, or none of its nodes can train.
        """
        self._scratch = scratch
        own = _own_numerics(study.compute)
        request = _request(study, tensorflow, own)
        code = code_here(
            study.model, study.train, request.preprocess, request.modules, request.search
        )
        known = own is not None and not study.compute.mixed
        policy = AdmissionPolicy(
            request, (own.fingerprint(),) if own is not None and known else (), code
        )
        wanted = None if study.compute.workers == "auto" else study.compute.workers
        self._registry = NodeRegistry(connect(study.compute), policy, wanted, tell)
        try:
            self._registry.wait_for_nodes()
        except BaseException:
            self._registry.stop()
            raise
        nodes = list(self._registry.nodes.values())
        self._registry.pin_numerics(_distinct(node.fingerprint for node in nodes))
        devices = [Device(name, "") for node in nodes for name in node.devices]
        self.placement = Placement(tuple(devices), common_numerics(own, nodes))
        self._engine = study.compute.engine
        super().__init__([self._slot(number) for number in range(len(devices))], tensorflow)
        self._growth = threading.Lock()
        self._registry.on_more_slots = lambda places: self._grow(places, wanted)
        self._grow(self._registry.slot_count(), wanted)  # a node may have joined just now
        self._registry.start_monitoring()

    def hand_out(self, study: Study, dataset: Dataset, plan: FoldPlan) -> None:
        """Let the nodes get the data, by reference.

        Raises:
            InputError: none of them can.
        """
        mark = self._scratch / "mark"
        secret = secrets.token_hex(16)
        mark.write_text(secret)
        self._registry.distribute_data(
            DataReference(
                mark=mark,
                secret=secret,
                data=study.data,
                fold_column=study.split.fold_column,
                split=study.split,
                seed=study.seed,
                data_sha256=dataset.digest,
                folds_sha256=plan.digest,
                out=None if is_remote(study.out) else Path(study.out).resolve(),
            )
        )

    def warm_up(self) -> None:
        """Do nothing: the nodes' worker hosts load TensorFlow since they joined."""

    def adopt(self, purpose: str) -> None:
        """Do nothing: nodes keep no workers for another run."""

    def queue_ahead(self) -> None:
        """Do nothing: a place takes one fold at a time."""

    def stop(self) -> None:
        """End the workers on all nodes and leave the cluster."""
        if not self.stopped.is_set():
            self.stopped.set()
            self._registry.stop()

    def _slot(self, number: int) -> RemoteSlot:
        return RemoteSlot(f"{self._engine}:{number}", self._registry, self._scratch)

    def _grow(self, places: int, wanted: int | None) -> None:
        """Make more slots for more places, as far as they are wanted."""
        most = places if wanted is None else min(places, wanted)
        with self._growth:  # nodes join side by side
            while len(self.slots) < most:
                slot = self._slot(len(self.slots))
                self.slots.append(slot)
                self.give_back(slot)


def _own_numerics(compute: ComputeSpec) -> Numerics | None:
    """Return this machine's numerics, or None where GPUs are wanted that only nodes have."""
    try:
        return place(compute).numerics
    except InputError:
        if compute.device != "gpu":
            raise
        return None


def _request(study: Study, tensorflow: bool, own: Numerics | None) -> JoinRequest:
    compute = study.compute
    if own is not None and not compute.mixed:
        compute = compute.model_copy(update={"device": own.device})  # auto is as here
    return JoinRequest(
        run=secrets.token_hex(8),
        compute=compute,
        model=study.model,
        train=study.train,
        preprocess=study.data.preprocess,
        modules=modules_to_have(study.model, study.train, study.data.preprocess),
        search=import_folders(),
        folder=Path.cwd(),
        tensorflow=tensorflow,
        heartbeat_timeout_s=NO_NODE_TIMEOUT_S,
    )


def _stored_when(arguments: Any) -> int | None:
    """Return when the fold of a call was stored, or None."""
    job = arguments[0] if arguments else None
    try:
        return job.store.stat().st_mtime_ns if isinstance(job, FoldJob) else None
    except OSError:
        return None


def _stored_since(known: int | None, function: Any, arguments: Any) -> FoldRecord | None:
    """Return the record of a fold that was stored although no answer came."""
    if function is not in_worker.train_and_store_fold or _stored_when(arguments) == known:
        return None
    found = in_worker.read_stored(arguments[0])
    return None if found is None else replace(found, cached=False)


def _distinct(fingerprints: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    found: list[dict[str, Any]] = []
    for one in fingerprints:
        found += [] if one in found else [one]
    return tuple(found)
