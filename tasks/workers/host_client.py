"""Start worker processes from a host: the client of `host_process.py`.

`WorkerHost` hands the environment of all workers (`environment.py`) to the host process when that
starts, so that nothing of this process is changed. The host loads the slow libraries once, and
never imports the user's main module: a script without a main guard, or a notebook, works.
"""

import contextlib
import itertools
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from foldproof.tasks.common.errors import Interrupted
from foldproof.tasks.workers.environment import host_environment
from foldproof.tasks.workers.host_process import (
    ENDED,
    KILL,
    REPORT,
    REQUEST,
    START,
    are_fresh,
)

STOP_TIMEOUT_S = 0.5  # that an idle host takes to end by itself
REPORT_TIMEOUT_S = 5.0  # until the host has said how a worker ended

T = TypeVar("T")


class WorkerEnded(Exception):
    """A worker process ended before it gave a result.

    Attributes:
        exit_code: its exit code, or minus the number of the signal; None where nobody knows.
    """

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class CallTimeout(Exception):
    """A call took longer than it might."""


class Worker:
    """A worker process: it runs one call after another.

    Attributes:
        number: that its host knows it by.
        first_memory: MiB that it held after its first fold, or 0.
        ended: is set when the process has ended.
        exit_code: then, as in WorkerEnded.
    """

    def __init__(
        self, host: "WorkerHost", number: int, connection: Connection, other_end: socket.socket
    ) -> None:
        """Speak to a process that the host is starting and hands the other end to."""
        self.number, self.ended = number, threading.Event()
        self.exit_code: int | None = None
        self.first_memory = 0.0
        self._host, self._connection = host, connection
        self._other_end = other_end
        self._unanswered = 0

    def begin(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Send a first call without waiting for its result."""
        with contextlib.suppress(OSError):  # the next call will find that it ended
            self._connection.send_bytes(pickle.dumps((function, arguments)))
            self._unanswered += 1

    def call(self, function: Callable[..., T], *arguments: Any, timeout: float | None = None) -> T:
        """Run a function in the process and return its result.

        Raises:
            WorkerEnded: the process died.
            CallTimeout: it took longer than the timeout, in seconds; the process is killed.
            Exception: what the function raised.
        """
        call = pickle.dumps((function, arguments))
        while self._unanswered:  # what it began with may have failed
            self._unanswered -= 1
            _value_of(self._received(None))
        with self._ending_told():
            self._connection.send_bytes(call)
        found: T = _value_of(self._received(timeout))
        return found

    def _received(self, timeout: float | None) -> bytes:
        with self._ending_told():
            if self._connection.poll(timeout):
                return self._connection.recv_bytes()
        self.kill()
        raise CallTimeout

    @contextlib.contextmanager
    def _ending_told(self) -> Iterator[None]:
        """Raise WorkerEnded where the connection was closed."""
        try:
            yield
        except (EOFError, OSError):
            self.ended.wait(REPORT_TIMEOUT_S)
            raise WorkerEnded(self.exit_code) from None

    def kill(self) -> None:
        """Kill the process, whatever it does."""
        self._host.kill(self)

    def release_other_end(self) -> None:
        """Close what is the process's: then the connection ends when that does.

        Where workers are fresh, it has arrived there: macOS loses a socket on its way that is open
        nowhere else (https://bugs.python.org/issue14669).
        """
        self._other_end.close()

    def end(self, exit_code: int | None) -> None:
        """Note that the process has ended."""
        self.release_other_end()
        self.exit_code = exit_code
        self.ended.set()


def _value_of(answer: bytes) -> Any:
    value, error = pickle.loads(answer)  # noqa: S301  (from a worker of ours)
    if error is not None:
        raise error
    return value


class WorkerHost:
    """A host process, which is started again when it was killed."""

    def __init__(
        self,
        tensorflow: bool,
        threads: int,
        home: Path,
        log: Path | None,
        deviations: Mapping[str, str] | None = None,
        libraries: Sequence[str] = (),
    ) -> None:
        """Start the process; it loads what workers need while the caller goes on.

        Args:
            tensorflow: load TensorFlow and Keras, too.
            threads: BLAS threads of the workers.
            home: an existing folder, in which Keras gets one of its own.
            log: the file for what libraries print, or None for the terminal.
            deviations: variables that an audit wants otherwise than every other run.
            libraries: modules of installed libraries to load, too; none of the user's.
        """
        (home / "keras").mkdir(exist_ok=True)
        self._environment = partial(host_environment, threads, home / "keras", deviations or {})
        self._tensorflow, self._log, self._libraries = tensorflow, log, libraries
        self._numbers = itertools.count(1)
        self._lock, self._closed = threading.RLock(), False
        self._start()

    @property
    def pid(self) -> int:
        """The host's process id."""
        return self._process.pid

    def start_worker(self) -> Worker:
        """Start a worker process; calls may be sent at once.

        Raises:
            Interrupted: the host was stopped.
        """
        with self._lock:
            self._ensure_running()
            worker = self._request_worker()
            if worker.ended.is_set():  # the host was killed just now
                self._process.kill()
                self._process.wait()
                self._ensure_running()
                worker = self._request_worker()
        return worker

    def _request_worker(self) -> Worker:
        """Ask the host for a worker; return one that has ended where the host is not there."""
        ours, theirs = socket.socketpair()
        worker = Worker(self, next(self._numbers), Connection(ours.detach()), theirs)
        self._workers[worker.number] = worker
        request = REQUEST.pack(START, worker.number)
        try:
            socket.send_fds(self._control, [request], [theirs.fileno()])
        except OSError:
            worker.end(None)
        if not self._fresh:
            worker.release_other_end()
        return worker

    def kill(self, worker: Worker) -> None:
        """Kill a worker of this host."""
        with self._lock, contextlib.suppress(OSError):
            if worker.number in self._workers:
                self._control.sendall(REQUEST.pack(KILL, worker.number))

    def stop(self) -> None:
        """Stop the host, even while it loads, and its workers with it."""
        with self._lock:
            self._closed = True
            process, control = self._process, self._control
        with contextlib.suppress(OSError):
            control.shutdown(socket.SHUT_RDWR)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _ensure_running(self) -> None:
        if self._closed:
            raise Interrupted("the run was stopped")
        if self._process.poll() is not None:
            self._start()

    def _start(self) -> None:
        environment = self._environment()
        self._fresh = are_fresh(environment)
        self._control, theirs = socket.socketpair()
        module = "foldproof.tasks.workers.host_process"
        output = self._log.open("ab") if self._log else None
        told = (theirs.fileno(), int(self._tensorflow), os.getpid())
        with theirs, output or contextlib.nullcontext():
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, "host", *map(str, told), *self._libraries],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                pass_fds=[theirs.fileno()],
                process_group=0,  # Ctrl-C is this process's to handle
            )
        self._workers: dict[int, Worker] = {}  # of this process
        told_of = (self._control, self._workers)
        threading.Thread(target=self._listen, args=told_of, name="worker-host", daemon=True).start()

    def _listen(self, control: socket.socket, workers: dict[int, Worker]) -> None:
        """Receive the exit codes of workers, until the host ends."""
        with contextlib.suppress(OSError):
            while len(message := control.recv(REPORT.size, socket.MSG_WAITALL)) == REPORT.size:
                what, number, code = REPORT.unpack(message)
                with self._lock:
                    worker = workers.pop(number) if what == ENDED else workers[number]
                if what == ENDED:
                    worker.end(code)
                else:
                    worker.release_other_end()
        with self._lock:
            control.close()
            left = [*workers.values()]
            workers.clear()
        for worker in left:
            worker.end(None)
