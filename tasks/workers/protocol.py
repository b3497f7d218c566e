"""What a run asks of its slots, whether they are on this machine or on a cluster."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from foldproof.tasks.config.study import Study
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.folds.job import FoldJob
from foldproof.tasks.folds.split.plan import FoldPlan
from foldproof.tasks.machine.devices import Placement
from foldproof.tasks.training.trial_records import TrialRecords

T = TypeVar("T")


class WorkerSlot(Protocol):
    """A device slot: one fold at a time trains in its worker process.

    Attributes:
        name: the device, such as cpu:0.
        progress_path: the file in which the worker says how far its fold is.
    """

    name: str
    progress_path: Path

    def run(self, function: Callable[..., T], *arguments: Any, timeout: float | None = None) -> T:
        """Run a function in the worker and return its result.

        Raises:
            WorkerLost: the process died.
            FoldTimeout: it ran past the timeout and was killed.
            Interrupted: the slot was stopped.
        """
        ...

    def watch(self, memory: float, successor: Callable[..., Any], *arguments: Any) -> None:
        """Replace a worker that holds too much memory after a fold.

        Args:
            memory: MiB that it holds.
            successor: what a new worker does first.
            *arguments: of that.
        """
        ...

    def kill_workers(self) -> None:
        """Kill the worker, whatever it does; the next job starts another."""
        ...

    def stop(self) -> None:
        """Kill the worker for good: no job starts another."""
        ...


class SlotPool(Protocol):
    """All slots of a run, from which folds lease one each.

    Attributes:
        placement: the devices and their numerics.
        stopped: is set when the slots are.
    """

    placement: Placement
    stopped: threading.Event

    @property
    def slots(self) -> Sequence[WorkerSlot]:
        """The slots, whether they are leased or not."""
        ...

    def warm_up(self) -> None:
        """Start a first worker in the background."""
        ...

    def prepare(
        self, jobs: Sequence[FoldJob], timeout: float | None, records: TrialRecords | None = None
    ) -> None:
        """Let each worker compile the model of the fold that will be its first."""
        ...

    def hand_out(self, study: Study, dataset: Dataset, plan: FoldPlan) -> None:
        """Let the slots get the data.

        Raises:
            InputError: none of them can.
        """
        ...

    def lease(self) -> WorkerSlot:
        """Wait for a free slot and take it.

        Raises:
            Interrupted: the slots were stopped.
        """
        ...

    def give_back(self, slot: WorkerSlot) -> None:
        """Free a leased slot."""
        ...

    def queue_ahead(self) -> None:
        """Let further folds queue at each slot, once: they are very short."""
        ...

    def adopt(self, purpose: str) -> None:
        """Take over the workers of an earlier call that served the same purpose.

        Args:
            purpose: a digest of all code and data that a worker has had in hand.
        """
        ...

    def release(self) -> None:
        """Keep the workers for the next call in this process where that is wanted; else stop."""
        ...

    def stop(self) -> None:
        """Kill all workers."""
        ...
