"""A device slot: it owns one warm worker process, which trains one fold after another.

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
from foldproof.tasks.machine.memory import REMEDY, allowance, times_killed_for_memory
from foldproof.tasks.workers import calls as worker
from foldproof.tasks.workers.fork_server import ForkServerContext

AHEAD = 3  # short folds that may wait at a slot

FOR_MEMORY = (signal.SIGABRT, signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS)

GROWTH = 512.0  # MiB that a worker may take on before another process takes its place

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
        self._waiting: set[Any] = set()
        self._next: tuple[ProcessPool, Any] | None = None
        self._retired: list[ProcessPool] = []
        self._at_first, self._lock = 0.0, threading.Lock()
        self._killed_before = times_killed_for_memory()

    def run(self, function: Callable[..., T], *arguments: Any, timeout: float | None = None) -> T:
        """Run a function in the worker and return its result.

        Raises:
            WorkerLost: the process died.
            FoldTimeout: it ran past the timeout and was killed.
            Interrupted: the slot was stopped.
        """
        with self._lock:
            self._renew()
            future = self._pool.schedule(function, args=arguments, timeout=timeout)
        self._waiting.add(future)
        try:
            found = future.result()
        except TimeoutError:
            raise FoldTimeout(f"ran past {timeout:g} seconds") from None
        except (ProcessExpired, BrokenProcessPool, EOFError) as error:
            before, self._killed_before = self._killed_before, times_killed_for_memory()
            starved = self._killed_before > before
            raise WorkerLost(describe_end(error, self._memory_limit, starved)) from None
        except CancelledError:
            raise Interrupted("the run was stopped") from None
        finally:
            self._waiting.discard(future)
        if isinstance(found, FoldRecord) and found.lost:
            self._replace()
        return found

    def watch(self, memory: float, successor: Callable[..., Any], *arguments: Any) -> None:
        """Look at a worker's memory after a fold; one that grew too much gets a successor.

        Keras and TensorFlow keep a few MiB of every model that is built and fitted
        (https://github.com/keras-team/keras/issues/20552). The worker goes on until the
        successor is warm.

        Args:
            memory: MiB.
            successor: what a new worker does first.
            *arguments: of that.
        """
        with self._lock:
            self._at_first = self._at_first or memory
            if memory - self._at_first > GROWTH and self._next is None:
                pool = self._new_pool()
                self._next = pool, pool.schedule(successor, args=arguments)

    def stop(self) -> None:
        """Kill the worker, whatever it does; who waits for it is told."""
        for future in tuple(self._waiting):
            future.cancel()  # a stopped pool leaves its futures pending for ever
        self.rest()

    def rest(self) -> None:
        """End the worker, which has nothing to do; the next job starts another."""
        successor = [self._next[0]] if self._next else []
        for pool in (self._pool, *successor, *self._retired):
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()
        self._next, self._retired, self._at_first = None, [], 0.0

    def _renew(self) -> None:
        """Let a warm successor take over, or a new worker where the old one is gone."""
        if self._next is not None and self._next[1].done():
            self._retire()
            self._pool, self._next, self._at_first = self._next[0], None, 0.0
        if not self._pool.active:
            self._pool = self._new_pool()

    def _replace(self) -> None:
        """Leave a worker that ran out of memory, which holds what it did not give back."""
        with self._lock:
            self._retire()
            self._pool, self._at_first = self._new_pool(), 0.0

    def _retire(self) -> None:
        self._pool.close()  # type: ignore[no-untyped-call]  # what waits there is finished
        self._retired = [pool for pool in self._retired if pool.active] + [self._pool]

    def _new_pool(self) -> ProcessPool:
        self._context.ensure_running()
        limits = (self._device.memory, self._memory_limit)
        arguments = (self._device.visible, self._folder, *limits)
        return ProcessPool(
            max_workers=1, initializer=worker.set_up, initargs=arguments, context=self._context
        )


def describe_end(
    error: BaseException, memory_limit: int | None = None, starved: bool = False
) -> str:
    """Say how a worker process ended, from what its pool raised.

    Args:
        error: that.
        memory_limit: MiB that the worker might take, or None.
        starved: the machine killed something for lack of memory meanwhile.
    """
    code = getattr(error, "exitcode", None)
    if code is None or code >= 0:
        return f"the worker ended with exit code {code}" if code else "the worker ended"
    said = f"the worker was killed by signal {-code}"
    if starved or (memory_limit is not None and -code in FOR_MEMORY):
        said += f", probably for lack of memory: it may have {allowance(memory_limit)}; {REMEDY}"
    return said
