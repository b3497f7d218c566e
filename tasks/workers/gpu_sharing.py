"""Folds that share a GPU: together while its memory suffices, one alone when it does not.

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
from foldproof.tasks.workers.fork_server import ForkServerContext
from foldproof.tasks.workers.slot import Slot

T = TypeVar("T")


class Gate:
    """Who may use a GPU now: several folds, or one alone."""

    def __init__(self) -> None:
        """Begin with an idle GPU."""
        self.slots: list[SharedSlot] = []
        self._inside = self._waiting = 0
        self._alone = self._closed = False
        self._changed = threading.Condition()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Use the GPU beside others; who waits to be alone goes first.

        Raises:
            Interrupted: the slots were stopped.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not (self._alone or self._waiting))
            self._enter()
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Use the GPU when all others have ended, their processes too.

        Raises:
            Interrupted: the slots were stopped.
        """
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: self._closed or not (self._alone or self._inside))
            self._waiting -= 1
            self._enter()
            self._alone = True
        try:
            for slot in self.slots:
                slot.rest()
            yield
        finally:
            self._alone = False
            self._leave()

    def close(self) -> None:
        """Let nobody in any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _enter(self) -> None:
        if self._closed:
            raise Interrupted("the run was stopped")
        self._inside += 1

    def _leave(self) -> None:
        with self._changed:
            self._inside -= 1
            self._changed.notify_all()


class SharedSlot(Slot):
    """A slot on a GPU that further slots may train on."""

    def __init__(
        self,
        device: Device,
        context: ForkServerContext,
        scratch: Path,
        folder: Path,
        gate: Gate,
        memory_limit: int | None = None,
    ) -> None:
        """Describe a slot behind a gate."""
        self._limited, self._gate = device, gate
        self._exhausted: set[str] = set()
        super().__init__(device, context, scratch, folder, memory_limit)
        gate.slots.append(self)

    def run(self, function: Callable[..., T], *arguments: Any, timeout: float | None = None) -> T:
        """Run a function in the worker; a fold that ran out of memory before runs alone."""
        job = arguments[0] if arguments else None
        if isinstance(job, FoldJob) and job.key in self._exhausted:
            return self._run_alone(function, *arguments, timeout=timeout)
        with self._gate.together():
            found = super().run(function, *arguments, timeout=timeout)
        if isinstance(found, FoldRecord) and found.lost:
            self._exhausted.add(found.key)
        return found

    def _run_alone(self, function: Callable[..., T], *arguments: Any, timeout: float | None) -> T:
        with self._gate.alone():
            self._device = replace(self._limited, memory=None)
            try:
                return super().run(function, *arguments, timeout=timeout)
            finally:
                self._device = self._limited
                self.rest()

    def stop(self) -> None:
        """Kill the worker, and let nobody onto the GPU any more."""
        self._gate.close()
        super().stop()
