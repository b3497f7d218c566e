"""The pool of device slots of a run; a fold leases one to train."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from foldproof.tasks.common.errors import Interrupted
from foldproof.tasks.config.study import Study
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.plan import FoldPlan
from foldproof.tasks.machine.devices import Device, Placement
from foldproof.tasks.user_code.search_path import start_folder
from foldproof.tasks.workers import calls as worker
from foldproof.tasks.workers.fork_server import ForkServerContext
from foldproof.tasks.workers.slot import QUEUE_AHEAD, Slot

LOG = logging.getLogger(__name__)


class Slots:
    """The slots of a run, with the fork server and the scratch folder that they share."""

    def __init__(
        self,
        placement: Placement,
        tensorflow: bool,
        scratch: Path,
        log: Path | None,
        folder: Path | None = None,
        memory_limit: int | None = None,
    ) -> None:
        """Start the fork server; a worker starts with the first call to its slot.

        Args:
            placement: the devices and their numerics.
            tensorflow: load it in the workers.
            scratch: an existing folder of the run.
            log: the file for what libraries print, or None for the terminal.
            folder: where workers start; default the working directory.
            memory_limit: MiB that each worker may take, or None.
        """
        self.tensorflow = tensorflow
        self.placement = placement
        (scratch / "keras").mkdir(exist_ok=True)
        self._context = ForkServerContext(tensorflow, placement.numerics.threads, scratch, log)
        self._scratch, self._folder = scratch, folder or start_folder()
        self._memory_limit = memory_limit
        self._gates: dict[str, Any] = {}  # who may use which GPU
        self._set_slots([self.make_slot(device) for device in placement.devices])

    def make_slot(self, device: Device) -> Slot:
        """Make a slot; one that is not leased out is the caller's to stop."""
        given = (device, self._context, self._scratch, self._folder)
        if not device.visible:
            return Slot(*given, memory_limit=self._memory_limit)
        from foldproof.tasks.workers.gpu_sharing import GpuGate, SharedSlot

        gate = self._gates.setdefault(device.visible, GpuGate())
        return SharedSlot(*given, gate, self._memory_limit)

    def _set_slots(self, slots: list[Any]) -> None:
        self.slots = slots
        self._free: SimpleQueue[Slot] = SimpleQueue()
        for slot in self.slots:
            self._free.put(slot)
        self.stopped = threading.Event()
        self._lock, self._ahead = threading.Lock(), QUEUE_AHEAD

    @property
    def context(self) -> ForkServerContext:
        """The fork server's context, for further processes with the same numerics."""
        return self._context

    def warm_up(self) -> None:
        """Start the first worker in the background."""
        threads = self.placement.numerics.threads
        self._in_background(self.slots[0], worker.warm_up, self.tensorflow, threads)

    def prepare(self, jobs: Sequence[FoldJob], timeout: float | None) -> None:
        """Start all workers, each of which compiles the model of its first fold."""
        for slot, job in zip(self.slots, jobs, strict=False):
            self._in_background(slot, worker.prepare_fold, job, self.tensorflow, timeout=timeout)

    def _in_background(
        self, slot: Slot, *call: Any, timeout: float | None = None
    ) -> threading.Thread:
        def run() -> None:
            try:
                slot.run(*call, timeout=timeout)
            except Interrupted:
                pass
            except Exception:  # the first fold will say what is wrong
                LOG.debug("%s failed on %s", call[0].__name__, slot.name, exc_info=True)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def lease(self) -> Slot:
        """Wait for a free slot and take it.

        Raises:
            Interrupted: the slots were stopped.
        """
        slot = self._free.get()
        if self.stopped.is_set():
            self._free.put(slot)
            raise Interrupted("the run was stopped")
        return slot

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

    def give_back(self, slot: Slot) -> None:
        """Free a leased slot."""
        self._free.put(slot)

    def stop(self) -> None:
        """Kill all workers and the fork server."""
        if self.stopped.is_set():
            return
        self.stopped.set()
        self._context.stop()
        stoppers = [threading.Thread(target=slot.stop) for slot in self.slots]
        for thread in stoppers:
            thread.start()
        for thread in stoppers:
            thread.join()
