"""What runs on a node: it joins a run, gets the data, and carries out one call after another.

The engine's own process trains nothing. Its calls go to worker processes of ours, which are
started, pinned and watched as on the machine of the flow.
"""

import inspect
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from foldproof.tasks.clusters.messages import Answer, DataReference, Passport, Request
from foldproof.tasks.clusters.node_code import code_here
from foldproof.tasks.clusters.node_data import LocalData, is_seen, leave_probe, make
from foldproof.tasks.common.errors import InputError, Interrupted
from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.machine.devices import Device, Placement, place
from foldproof.tasks.machine.numerics import Numerics
from foldproof.tasks.store.scratch import make_scratch, remove_scratch
from foldproof.tasks.workers import calls as worker
from foldproof.tasks.workers.multiprocessing_internals import allow_children
from foldproof.tasks.workers.slot import Slot
from foldproof.tasks.workers.slots import Slots

PULSE = 5.0  # seconds between two looks at whether the flow's process still speaks


class Host:
    """A run's workers on this node."""

    def __init__(self, request: Request) -> None:
        """Start the fork server; workers follow with the first calls."""
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
        self.heard = time.monotonic()
        threading.Thread(target=self._watch, name="flow-guard", daemon=True).start()

    @property
    def numerics(self) -> Numerics:
        """What folds on this node find."""
        return self.placement.numerics

    def take_data(self, reference: DataReference, probe: str) -> None:
        """Get the arrays and rows, and leave a probe in the store.

        Raises:
            InputError: they cannot be had here, or the store is not seen.
        """
        leave_probe(reference, probe)
        self._seen = is_seen(reference)
        if self._seen:
            return
        reader = self._slots.make_slot(Device("cpu:data", ""))
        try:
            self._data = reader.run(make, reference, self._request.search, self._scratch)
        finally:
            reader.stop()

    def perform(
        self, index: int, function: Callable[..., Any], arguments: Any, timeout: float | None
    ) -> Any:
        """Run a function in the worker of a slot, as `Slot.run` does."""
        slot = self._slots.slots[index]
        found = slot.run(function, *self._placed(slot, function, arguments), timeout=timeout)
        if isinstance(found, FoldRecord) and arguments and isinstance(arguments[0], FoldJob):
            job = self._place_job(arguments[0])
            slot.watch(found.memory, worker.prepare_fold, job, self._request.tensorflow)
        return found

    def _placed(self, slot: Slot, function: Callable[..., Any], arguments: Any) -> list[Any]:
        """Replace what names the flow's machine by what is good here."""
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

    def _watch(self) -> None:
        """End the workers of a flow that was killed: it could not say that it leaves."""
        while not self._slots.stopped.wait(PULSE):
            if time.monotonic() - self.heard > self._request.patience:
                leave(self._request.run)


_hosts: dict[str, Host] = {}
_lock = threading.Lock()


def join(request: Request) -> Passport:
    """Make this process a node of a run and describe it; a second time starts anew."""
    machine = socket.gethostname()
    allow_children()  # Dask's workers are daemons; ours end with them
    try:
        code = code_here(request.model, request.train, request.modules, request.search)
        leave(request.run)  # what was under way here counts as lost
        host = Host(request)
        with _lock:
            _hosts[request.run] = host
    except InputError as error:
        return Passport(machine, (), {}, {}, str(error))
    devices = tuple(device.name for device in host.placement.devices)
    return Passport(machine, devices, host.numerics.fingerprint(), code)


def take_data(run: str, reference: DataReference, probe: str) -> Answer:
    """Get the data of a run; what is wrong comes back as the answer's error."""
    return _answer(run, lambda host: host.take_data(reference, probe))


def perform(
    run: str, index: int, function: Callable[..., Any], arguments: Any, timeout: float | None
) -> Answer:
    """Run a function in a worker of a run; what it raises comes back as the answer's error."""
    return _answer(run, lambda host: host.perform(index, function, arguments, timeout))


def hear(run: str) -> None:
    """Note that the flow's process lives."""
    host = _hosts.get(run)
    if host is not None:
        host.heard = time.monotonic()


def leave(run: str) -> None:
    """End all workers of a run on this node."""
    with _lock:
        host = _hosts.pop(run, None)
    if host is not None:
        threading.Thread(target=host.stop).start()  # this may be the engine's event loop


def _answer(run: str, call: Callable[[Host], Any]) -> Answer:
    host = _hosts.get(run)
    if host is None:
        return Answer(known=False)
    try:
        return Answer(call(host))
    except Interrupted:  # it left the run meanwhile
        return Answer(known=False)
    except Exception as error:  # for the flow's process to handle, whatever it is
        return Answer(error=error)


def _place(request: Request) -> Placement:
    """Choose the slots here; where any device will do, a node without GPUs takes its cores."""
    try:
        return place(request.compute)
    except InputError:
        if not request.compute.mixed or request.compute.device != "gpu":
            raise
        anywhere = {"device": "cpu", "folds_per_gpu": 1}
        return place(request.compute.model_copy(update=anywhere))
