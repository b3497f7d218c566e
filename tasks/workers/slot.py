"""A device slot: one device and its warm worker process, which trains fold after fold.

A killed worker fails its own job only, and the next job of its slot starts a new one.
"""

import signal
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, TimeoutError
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from foldproof.tasks.common.errors import FoldTimeout, Interrupted, WorkerLost
from foldproof.tasks.folds.job import FoldRecord
from foldproof.tasks.machine.devices import Device
from foldproof.tasks.machine.memory import REMEDY, allowance_text, times_killed_for_memory
from foldproof.tasks.workers import in_worker
from foldproof.tasks.workers.fork_server import ForkServerContext

QUEUE_AHEAD = 3  # short folds that may be queued at a slot

OUT_OF_MEMORY_SIGNALS = (signal.SIGABRT, signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS)

MAX_GROWTH_MIB = 512.0  # of a worker's memory, before a new process replaces it

T = TypeVar("T")


class Slot:
    """One device and the one worker process on it."""

    def __init__(
        self,
        device: Device,
        context: ForkServerContext,
        scratch: Path,
        folder: Path,
        memory_limit: int | None = None,
    ) -> None:
        """Describe a slot; its worker starts in the folder, with the first job."""
        self.name, self._folder = device.name, folder
        self.progress_path = scratch / f"progress-{device.name.replace(':', '-')}"
        self._device, self._context, self._memory_limit = device, context, memory_limit
        self._pool = self._new_pool()
        self._futures: set[Any] = set()
        self._successor: tuple[ProcessPool, Any] | None = None
        self._retired: list[ProcessPool] = []
        self._first_memory, self._lock = 0.0, threading.Lock()
        self._oom_kills = times_killed_for_memory()

    def run(self, function: Callable[..., T], *arguments: Any, timeout: float | None = None) -> T:
        """Run a function in the worker and return its result.

        Raises:
            WorkerLost: the process died.
            FoldTimeout: it ran past the timeout and was killed.
            Interrupted: the slot was stopped.
        """
        with self._lock:
            self._use_current_worker()
            future = self._pool.schedule(function, args=arguments, timeout=timeout)
        self._futures.add(future)
        try:
            found = future.result()
        except TimeoutError:
            raise FoldTimeout(f"ran past {timeout:g} seconds") from None
        except (ProcessExpired, BrokenProcessPool, EOFError) as error:
            before, self._oom_kills = self._oom_kills, times_killed_for_memory()
            ran_out_of_memory = self._oom_kills > before
            raise WorkerLost(describe_end(error, self._memory_limit, ran_out_of_memory)) from None
        except CancelledError:
            raise Interrupted("the run was stopped") from None
        finally:
            self._futures.discard(future)
        if isinstance(found, FoldRecord) and found.lost:
            self._replace()
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
            self._first_memory = self._first_memory or memory
            if memory - self._first_memory > MAX_GROWTH_MIB and self._successor is None:
                pool = self._new_pool()
                self._successor = pool, pool.schedule(successor, args=arguments)

    def stop(self) -> None:
        """Kill the worker and cancel the calls that wait for it."""
        for future in tuple(self._futures):
            future.cancel()  # a stopped pool leaves its futures pending for ever
        self.end_idle_worker()

    def end_idle_worker(self) -> None:
        """End the idle worker; the next job starts a new one."""
        successor = [self._successor[0]] if self._successor else []
        for pool in (self._pool, *successor, *self._retired):
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()
        self._successor, self._retired, self._first_memory = None, [], 0.0

    def _use_current_worker(self) -> None:
        """Switch to a warm successor, or start a new worker if the old one is gone."""
        if self._successor is not None and self._successor[1].done():
            self._retire()
            self._pool, self._successor, self._first_memory = self._successor[0], None, 0.0
        if not self._pool.active:
            self._pool = self._new_pool()

    def _replace(self) -> None:
        """Replace a worker that ran out of memory: it does not give its memory back."""
        with self._lock:
            self._retire()
            self._pool, self._first_memory = self._new_pool(), 0.0

    def _retire(self) -> None:
        self._pool.close()  # type: ignore[no-untyped-call]  # what waits there is finished
        self._retired = [pool for pool in self._retired if pool.active] + [self._pool]

    def _new_pool(self) -> ProcessPool:
        self._context.ensure_running()
        limits = (self._device.memory, self._memory_limit)
        arguments = (self._device.visible, self._folder, *limits)
        return ProcessPool(
            max_workers=1, initializer=in_worker.set_up, initargs=arguments, context=self._context
        )


def describe_end(
    error: BaseException, memory_limit: int | None = None, ran_out_of_memory: bool = False
) -> str:
    """Describe in words how a worker process ended, from the exception of its pool.

    Args:
        error: that.
        memory_limit: MiB that the worker might take, or None.
        ran_out_of_memory: the machine killed something for lack of memory meanwhile.
    """
    code = getattr(error, "exitcode", None)
    if code is None or code >= 0:
        return f"the worker ended with exit code {code}" if code else "the worker ended"
    said = f"the worker was killed by signal {-code}"
    if ran_out_of_memory or (memory_limit is not None and -code in OUT_OF_MEMORY_SIGNALS):
        said += (
            f", probably for lack of memory: it may have {allowance_text(memory_limit)}; {REMEDY}"
        )
    return said
