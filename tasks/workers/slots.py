"""Device slots on this machine: as many as the settings ask for; a fold leases one to train."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from foldproof.tasks.config.study import Study
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.folds.split.plan import FoldPlan
from foldproof.tasks.machine.devices import Device, Placement
from foldproof.tasks.user_code.search_path import start_folder
from foldproof.tasks.workers import in_worker
from foldproof.tasks.workers.host_client import WorkerHost
from foldproof.tasks.workers.kept_host import KeptHost
from foldproof.tasks.workers.slot import QUEUE_AHEAD, Slot
from foldproof.tasks.workers.slot_queue import SlotQueue


class Slots(SlotQueue):
    """All slots of a run on this machine, and the scratch folder that their workers share.

    Attributes:
        placement: the devices and their numerics.
        host: the process that starts workers, for further ones with the same numerics.
    """

    def __init__(
        self,
        placement: Placement,
        tensorflow: bool,
        scratch: Path,
        log: Path | None,
        folder: Path | None = None,
        memory_limit: int | None = None,
        keep: bool = False,
        libraries: Sequence[str] = (),
    ) -> None:
        """Start the host; a worker starts with the first call to its slot.

        Args:
            placement: the devices and their numerics.
            tensorflow: load it in the workers.
            scratch: an existing folder of the run.
            log: the file for what libraries print, or None for the terminal.
            folder: where workers start; default the working directory.
            memory_limit: MiB that each worker may take, or None.
            keep: use what an earlier call in this process left, and leave it to the next.
            libraries: modules of installed libraries that the workers will need.
        """
        self.placement = placement
        host = (tensorflow, placement.numerics.threads)
        self._kept = KeptHost.like(*host, log is None, libraries) if keep else None
        self.host = (
            self._kept.host if self._kept else WorkerHost(*host, scratch, log, None, libraries)
        )
        self._scratch, self._folder = scratch, folder or start_folder()
        self._memory_limit, self._purpose = memory_limit, ""
        self._gates: dict[str, Any] = {}  # who may use which GPU
        self._lock, self._ahead = threading.Lock(), QUEUE_AHEAD
        super().__init__([self.make_slot(device) for device in placement.devices], tensorflow)

    def make_slot(self, device: Device) -> Slot:
        """Make a slot; one that is not leased out is the caller's to stop."""
        given = (device, self.host, self._scratch, self._folder)
        limits = (self._memory_limit, len(self.placement.devices))
        if not device.visible:
            return Slot(*given, *limits)
        from foldproof.tasks.workers.gpu_sharing import GpuGate, SharedSlot

        gate = self._gates.setdefault(device.visible, GpuGate())
        return SharedSlot(*given, gate, *limits)

    def warm_up(self) -> None:
        """Start the first worker in the background."""
        if self._kept is not None and self._kept.has_workers():
            return  # there are some
        threads = self.placement.numerics.threads
        self._in_background(self.slots[0], in_worker.warm_up, self.tensorflow, threads)

    def adopt(self, purpose: str) -> None:
        """Take over kept workers that served the same purpose; kill the others."""
        self._purpose = purpose
        if self._kept is None:
            return
        for slot in self.slots:
            worker = self._kept.give_out(slot.name, purpose)
            if worker is not None and isinstance(slot, Slot):
                slot.adopt(worker)

    def release(self) -> None:
        """Keep host and idle workers for the next call in this process, or stop."""
        if self._kept is None or self.stopped.is_set():
            self.stop()
            return
        self.stopped.set()
        for slot in self.slots:
            worker = slot.hand_over() if isinstance(slot, Slot) else None
            if worker is not None:
                self._kept.take_in(slot.name, worker, self._purpose)
        self._kept.keep()

    def hand_out(self, study: Study, dataset: Dataset, plan: FoldPlan) -> None:
        """Give the slots access to the data; on this machine they have it already."""

    def queue_ahead(self) -> None:
        """Lease each slot to further folds, once; they queue, and the slot trains one at a time.

        For folds that are so short that getting one under way takes as long as training it.
        """
        with self._lock:
            ahead, self._ahead = self._ahead, 0
        for slot in self.slots * ahead:
            self._free.put(slot)

    def stop(self) -> None:
        """Kill all workers and the host."""
        if self.stopped.is_set():
            return
        self.stopped.set()
        for slot in self.slots:
            slot.stop()
        (self._kept or self.host).stop()
