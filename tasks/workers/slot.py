"""A device slot: one device and its warm worker process, which trains fold after fold.

A killed worker fails its own job only, and the next job of its slot starts a new one.
"""

import contextlib
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from foldproof.tasks.common.errors import FoldTimeout, Interrupted, WorkerLost
from foldproof.tasks.folds.job import FoldRecord
from foldproof.tasks.machine.devices import Device
from foldproof.tasks.machine.memory import REMEDY, allowance_text, times_killed_for_memory
from foldproof.tasks.workers import in_worker
from foldproof.tasks.workers.host_client import CallTimeout, Worker, WorkerEnded, WorkerHost

QUEUE_AHEAD = 3  # short folds that may wait at a slot

OUT_OF_MEMORY_SIGNALS = (signal.SIGABRT, signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS)

MAX_GROWTH_MIB = 512.0  # of a worker's memory, before a new process replaces it

T = TypeVar("T")


class Slot:
    """One device and the one worker process on it."""

    def __init__(
        self,
        device: Device,
        host: WorkerHost,
        scratch: Path,
        folder: Path,
        memory_limit: int | None = None,
        workers: int = 1,
    ) -> None:
        """Describe a slot; its worker starts in the folder, with the first job.

        Args:
            device: its device.
            host: starts its worker.
            scratch: the run's folder.
            folder: where the worker starts.
            memory_limit: MiB that the worker may take, or None.
            workers: how many share the machine's memory.
        """
        self.name, self._folder = device.name, folder
        self.progress_path = scratch / f"progress-{device.name.replace(':', '-')}"
        self._device, self._host, self._memory_limit = device, host, memory_limit
        self._workers = workers
        self._worker: Worker | None = None
        self._successor: Worker | None = None
        self._is_warm = threading.Event()  # the successor is
        self._closed = False
        self._turn = threading.Lock()  # of one call at a time
        self._lock = threading.Lock()  # of which processes there are
        self._oom_kills = times_killed_for_memory()

    def run(self, function: Callable[..., T], *arguments: Any, timeout: float | None = None) -> T:
        """Run a function in the worker and return its result.

        Raises:
            WorkerLost: the process died.
            FoldTimeout: it ran past the timeout and was killed.
            Interrupted: the slot was stopped.
        """
        with self._turn:
            worker = self._current_worker()
            try:
                found = worker.call(function, *arguments, timeout=timeout)
            except CallTimeout:
                self.kill_workers()
                raise FoldTimeout(f"ran past {timeout:g} seconds") from None
            except WorkerEnded as ended:
                self.kill_workers()
                raise self._loss(ended) from None
            if isinstance(found, FoldRecord) and found.lost:
                self.kill_workers()  # it does not give back the memory that ran out
            return found

    def watch(self, memory: float, successor: Callable[..., Any], *arguments: Any) -> None:
        """Check the worker's memory after a fold, and start a successor if it grew too much.

        Keras and TensorFlow keep a few MiB of every model that is built and fitted
        (https://github.com/keras-team/keras/issues/20552). The worker goes on until the
        successor is warm.

        Args:
            memory: MiB.
            successor: the first call of the new worker, which warms it up.
            *arguments: of that.
        """
        with self._lock:
            worker = self._worker
            if worker is None or self._successor is not None:
                return
            worker.first_memory = worker.first_memory or memory
            if memory - worker.first_memory <= MAX_GROWTH_MIB:
                return
            self._is_warm.clear()
            self._successor = self._new_worker()
        call = (self._successor, successor, *arguments)
        threading.Thread(target=self._warm_up, args=call, daemon=True).start()

    def stop(self) -> None:
        """Kill the worker; the calls that wait for it are interrupted."""
        with self._lock:
            self._closed = True
        self.kill_workers()

    def kill_workers(self) -> None:
        """Kill the worker and its successor, whatever they do; the next job starts a new one."""
        with self._lock:
            for worker in (self._worker, self._successor):
                if worker is not None:
                    worker.kill()
            self._worker = self._successor = None

    def adopt(self, worker: Worker) -> None:
        """Go on with a worker of an earlier slot on this device."""
        with self._lock:
            if self._worker is not None:
                self._worker.kill()
            self._worker = worker

    def hand_over(self) -> Worker | None:
        """Give up the worker if it is idle, for a later slot; else end it."""
        if self._turn.acquire(blocking=False):
            with self._lock:
                self._closed = True
                worker, self._worker = self._worker, None
            self._turn.release()
            if worker is not None and not worker.ended.is_set() and not self._device.visible:
                self.stop()
                return worker
            self._worker = worker
        self.stop()
        return None

    def _current_worker(self) -> Worker:
        """Return the worker for the next call: a warm successor takes the place of the old one."""
        with self._lock:
            if self._closed:
                raise Interrupted("the run was stopped")
            if self._successor is not None and self._is_warm.is_set():
                if self._worker is not None:
                    self._worker.kill()
                self._worker, self._successor = self._successor, None
            if self._worker is None or self._worker.ended.is_set():
                self._worker = self._new_worker()
            return self._worker

    def _new_worker(self) -> Worker:
        worker = self._host.start_worker()
        limits = (self._device.memory, self._memory_limit, self._workers)
        worker.begin(in_worker.set_up, self._device.visible, self._folder, *limits)
        return worker

    def _warm_up(self, worker: Worker, function: Callable[..., Any], *arguments: Any) -> None:
        with contextlib.suppress(Exception):  # its first fold will say what is wrong
            worker.call(function, *arguments)
        self._is_warm.set()

    def _loss(self, ended: WorkerEnded) -> Exception:
        if self._closed:
            return Interrupted("the run was stopped")
        before, self._oom_kills = self._oom_kills, times_killed_for_memory()
        ran_out_of_memory = self._oom_kills > before
        return WorkerLost(describe_end(ended.exit_code, self._memory_limit, ran_out_of_memory))


def describe_end(
    code: int | None, memory_limit: int | None = None, ran_out_of_memory: bool = False
) -> str:
    """Describe in words how a worker process ended.

    Args:
        code: its exit code, or minus the number of a signal; None where nobody knows.
        memory_limit: MiB that the worker might take, or None.
        ran_out_of_memory: the machine killed something for lack of memory meanwhile.
    """
    if code is None or code >= 0:
        return f"the worker ended with exit code {code}" if code else "the worker ended"
    said = f"the worker was killed by signal {-code}"
    if ran_out_of_memory or (memory_limit is not None and -code in OUT_OF_MEMORY_SIGNALS):
        said += (
            f", probably for lack of memory: it may have {allowance_text(memory_limit)}; {REMEDY}"
        )
    return said
