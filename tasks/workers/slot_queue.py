"""The queue of free slots, from which folds lease one each; the same here and on clusters."""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

from foldproof.tasks.common.errors import Interrupted
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.training.trial_records import TrialRecords
from foldproof.tasks.workers import in_worker
from foldproof.tasks.workers.protocol import WorkerSlot

LOG = logging.getLogger(__name__)


class SlotQueue(ABC):
    """A queue of free slots.

    Attributes:
        slots: all of them.
        stopped: is set when no fold may begin any more.
    """

    def __init__(self, slots: Sequence[WorkerSlot], tensorflow: bool) -> None:
        """Offer slots.

        Args:
            slots: all of them free.
            tensorflow: their workers load it.
        """
        self.slots = list(slots)
        self.tensorflow = tensorflow
        self.stopped = threading.Event()
        self._free: SimpleQueue[WorkerSlot] = SimpleQueue()
        for slot in self.slots:
            self._free.put(slot)

    def lease(self) -> WorkerSlot:
        """Wait for a free slot and take it.

        Raises:
            Interrupted: the slots were stopped.
        """
        slot = self._free.get()
        if self.stopped.is_set():
            self._free.put(slot)
            raise Interrupted("the run was stopped")
        return slot

    def give_back(self, slot: WorkerSlot) -> None:
        """Free a leased slot."""
        self._free.put(slot)

    def prepare(
        self, jobs: Sequence[FoldJob], timeout: float | None, records: TrialRecords | None = None
    ) -> None:
        """Let each worker compile the model of the fold that will be its first."""
        for slot, job in zip(self.slots, jobs, strict=False):
            given = (job, self.tensorflow, records)
            self._in_background(slot, in_worker.compile_ahead, *given, timeout=timeout)

    def release(self) -> None:
        """Keep workers for the next call; here none are kept, so stop."""
        self.stop()

    @abstractmethod
    def stop(self) -> None:
        """Kill all workers."""

    def _in_background(
        self,
        slot: WorkerSlot,
        function: Callable[..., Any],
        *arguments: Any,
        timeout: float | None = None,
    ) -> threading.Thread:
        def run() -> None:
            try:
                slot.run(function, *arguments, timeout=timeout)
            except Interrupted:
                pass
            except Exception:  # the first fold will say what is wrong
                LOG.debug("%s failed on %s", function.__name__, slot.name, exc_info=True)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread
