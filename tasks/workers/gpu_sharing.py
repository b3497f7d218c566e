"""Share a GPU between folds; retry a fold that ran out of its memory with exclusive use.

TensorFlow gives no GPU memory back before its process ends. A fold that ran out of memory is
therefore tried again in a new process, without a limit, after all others on that GPU ended.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from foldproof.tasks.common.errors import Interrupted
from foldproof.tasks.folds.job import FoldJob, FoldRecord
from foldproof.tasks.machine.devices import Device
from foldproof.tasks.workers.host_client import WorkerHost
from foldproof.tasks.workers.slot import Slot

T = TypeVar("T")


class GpuGate:
    """A lock on a GPU with shared and exclusive use, like a readers-writer lock."""

    def __init__(self) -> None:
        """Create the lock of an idle GPU."""
        self.slots: list[SharedSlot] = []
        self._users = self._waiting = 0
        self._is_exclusive = self._closed = False
        self._changed = threading.Condition()

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold the GPU together with other folds; a fold that waits for exclusive use goes first.

        Raises:
            Interrupted: the slots were stopped.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or not (self._is_exclusive or self._waiting)
            )
            self._enter()
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the GPU exclusively, after all other folds and their processes have ended.

        Raises:
            Interrupted: the slots were stopped.
        """
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: self._closed or not (self._is_exclusive or self._users))
            self._waiting -= 1
            self._enter()
            self._is_exclusive = True
        try:
            for slot in self.slots:
                slot.kill_workers()
            yield
        finally:
            self._is_exclusive = False
            self._leave()

    def close(self) -> None:
        """Refuse the GPU to everybody from now on."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _enter(self) -> None:
        if self._closed:
            raise Interrupted("the run was stopped")
        self._users += 1

    def _leave(self) -> None:
        with self._changed:
            self._users -= 1
            self._changed.notify_all()


class SharedSlot(Slot):
    """A slot on a GPU that it shares with other slots."""

    def __init__(
        self,
        device: Device,
        host: WorkerHost,
        scratch: Path,
        folder: Path,
        gate: GpuGate,
        memory_limit: int | None = None,
        workers: int = 1,
    ) -> None:
        """Describe a slot that waits at a gate for its GPU."""
        self._limited, self._gate = device, gate
        self._exhausted: set[str] = set()
        super().__init__(device, host, scratch, folder, memory_limit, workers)
        gate.slots.append(self)

    def run(self, function: Callable[..., T], *arguments: Any, timeout: float | None = None) -> T:
        """Run a function in the worker; a fold that ran out of memory before gets exclusive use."""
        job = arguments[0] if arguments else None
        if isinstance(job, FoldJob) and job.key in self._exhausted:
            return self._run_exclusively(function, *arguments, timeout=timeout)
        with self._gate.shared():
            found = super().run(function, *arguments, timeout=timeout)
        if isinstance(found, FoldRecord) and found.lost:
            self._exhausted.add(found.key)
        return found

    def _run_exclusively(
        self, function: Callable[..., T], *arguments: Any, timeout: float | None
    ) -> T:
        with self._gate.exclusive():
            self._device = replace(self._limited, memory=None)
            try:
                return super().run(function, *arguments, timeout=timeout)
            finally:
                self._device = self._limited
                self.kill_workers()

    def stop(self) -> None:
        """Kill the worker and close the gate."""
        self._gate.close()
        super().stop()
