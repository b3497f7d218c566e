"""The agent on a cluster node: joins a run, receives the data and executes calls in workers.

The engine's own process trains nothing. Its calls go to worker processes of ours, which are
started, pinned and watched as on the machine of the flow.
"""

import inspect
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from foldproof.tasks.clusters.messages import Answer, DataReference, JoinRequest, NodeInfo
from foldproof.tasks.clusters.node_code import code_here
from foldproof.tasks.clusters.node_data import (
    LocalData,
    build_local_data,
    shares_file_system,
    write_probe,
)
from foldproof.tasks.common.errors import InputError, Interrupted
from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.machine.devices import Device, Placement, place
from foldproof.tasks.machine.numerics import Numerics
from foldproof.tasks.store.scratch import make_scratch, remove_scratch
from foldproof.tasks.workers import in_worker
from foldproof.tasks.workers.protocol import WorkerSlot
from foldproof.tasks.workers.slots import Slots

HEARTBEAT_CHECK_S = 5.0  # between two checks for a missing heartbeat


class NodeHost:
    """The worker processes of one run on this node."""

    def __init__(self, request: JoinRequest) -> None:
        """Start the host; workers follow with the first calls."""
        self._request = request
        self.placement = _place(request)
        self._scratch = make_scratch()
        folder = request.folder if request.folder.is_dir() else self._scratch
        log = self._scratch / "libraries.log"
        limit = request.compute.memory_limit
        given = (request.tensorflow, self._scratch, log, folder, limit)
        self._slots = Slots(self.placement, *given)
        self._data = LocalData()
        self._seen = True
        self._checks = self._heard = 0  # checks so far, and those before the last sign of life
        threading.Thread(target=self._watch, name="flow-guard", daemon=True).start()

    @property
    def numerics(self) -> Numerics:
        """The numerics of this node."""
        return self.placement.numerics

    def receive_data(self, reference: DataReference, probe: str) -> None:
        """Open or prepare the data, and write a probe file into the output folder.

        Raises:
            InputError: they cannot be had here, or the store is not seen.
        """
        write_probe(reference, probe)
        self._seen = shares_file_system(reference)
        if self._seen:
            return
        reader = self._slots.make_slot(Device("cpu:data", ""))
        try:
            self._data = reader.run(
                build_local_data, reference, self._request.search, self._scratch
            )
        finally:
            reader.stop()

    def perform(
        self, index: int, function: Callable[..., Any], arguments: Any, timeout: float | None
    ) -> Any:
        """Run a function in the worker of a slot; see `WorkerSlot.run`."""
        slot = self._slots.slots[index]
        found = slot.run(function, *self._placed(slot, function, arguments), timeout=timeout)
        if isinstance(found, FoldRecord) and arguments and isinstance(arguments[0], FoldJob):
            job = self._place_job(arguments[0])
            slot.watch(found.memory, in_worker.compile_ahead, job, self._request.tensorflow)
        return found

    def _placed(self, slot: WorkerSlot, function: Callable[..., Any], arguments: Any) -> list[Any]:
        """Replace arguments that refer to the flow's machine by their counterparts here."""
        names = list(inspect.signature(function).parameters)
        given = dict(zip(names, arguments, strict=False))
        here = {"slot": slot.name} | ({} if self._seen else {"progress": slot.progress_path})
        given |= {name: value for name, value in here.items() if name in given}
        return [self._place_job(v) if isinstance(v, FoldJob) else v for v in given.values()]

    def _place_job(self, job: FoldJob) -> FoldJob:
        return replace(self._data.place(job), numerics=self.numerics)

    def stop(self) -> None:
        """End all workers of the run."""
        self._slots.stop()
        remove_scratch(self._scratch)

    def hear(self) -> None:
        """Record a sign of life of the flow's process."""
        self._heard = self._checks

    def _watch(self) -> None:
        """End the workers when heartbeats stop: the flow's process was killed.

        Checks are counted, not seconds: a node that slept has heard nothing, and the flow's
        process may live all the same.
        """
        while not self._slots.stopped.wait(HEARTBEAT_CHECK_S):
            self._checks += 1
            if (self._checks - self._heard) * HEARTBEAT_CHECK_S > self._request.heartbeat_timeout_s:
                leave(self._request.run)


_hosts: dict[str, NodeHost] = {}
_lock = threading.Lock()


def join(request: JoinRequest) -> NodeInfo:
    """Join a run and describe this node; joining again starts new workers."""
    machine = socket.gethostname()
    try:
        parts = (request.model, request.train, request.preprocess)
        code = code_here(*parts, request.modules, request.search)
        leave(request.run)  # what was under way here counts as lost
        host = NodeHost(request)
        with _lock:
            _hosts[request.run] = host
    except InputError as error:
        return NodeInfo(machine, (), {}, {}, str(error))
    devices = tuple(device.name for device in host.placement.devices)
    return NodeInfo(machine, devices, host.numerics.fingerprint(), code)


def receive_data(run: str, reference: DataReference, probe: str) -> Answer:
    """Open or prepare a run's data; an error is returned in the answer."""
    return _answer(run, lambda host: host.receive_data(reference, probe))


def perform(
    run: str, index: int, function: Callable[..., Any], arguments: Any, timeout: float | None
) -> Answer:
    """Run a function in a worker of a run; an error is returned in the answer."""
    return _answer(run, lambda host: host.perform(index, function, arguments, timeout))


def heartbeat(run: str) -> None:
    """Record a heartbeat of the flow's process."""
    host = _hosts.get(run)
    if host is not None:
        host.hear()


def leave(run: str) -> None:
    """End all workers of a run on this node."""
    with _lock:
        host = _hosts.pop(run, None)
    if host is not None:
        threading.Thread(target=host.stop).start()  # this may be the engine's event loop


def _answer(run: str, call: Callable[[NodeHost], Any]) -> Answer:
    host = _hosts.get(run)
    if host is None:
        return Answer(known=False)
    host.hear()  # a call is a sign of life, too
    try:
        return Answer(call(host))
    except Interrupted:  # it left the run meanwhile
        return Answer(known=False)
    except Exception as error:  # for the flow's process to handle, whatever it is
        return Answer(error=error)


def _place(request: JoinRequest) -> Placement:
    """Choose this node's slots; with `compute.mixed`, cores serve where there are no GPUs."""
    try:
        return place(request.compute)
    except InputError:
        if not request.compute.mixed or request.compute.device != "gpu":
            raise
        anywhere = {"device": "cpu", "folds_per_gpu": 1}
        return place(request.compute.model_copy(update=anywhere))
