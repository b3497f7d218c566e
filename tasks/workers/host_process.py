"""The worker host: a program that loads the slow libraries once and forks workers from that state.

`WorkerHost` starts it and speaks to it over a socket that no other process has. A request is
a letter and a worker's number; with a request to start one comes the worker's end of a
connection of its own, over which calls and results go. The host itself runs no code of the
user's, and it ends, with all workers, as soon as the process that started it is gone.

Where a process that uses the system's frameworks must not be forked, the host loads nothing, and
each worker is a program of its own, which loads the libraries anew.
"""

import contextlib
import ctypes
import gc
import os
import pickle
import select
import signal
import socket
import struct
import sys
import threading
import traceback
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from multiprocessing.connection import Connection
from typing import NoReturn

from foldproof.tasks.common.process import collection

REQUEST = struct.Struct("!cI")  # what to do, and the worker's number
REPORT = struct.Struct("!cIi")  # what happened, the worker's number, its exit code if it ended
START, KILL = b"s", b"k"
TAKEN, ENDED = b"t", b"e"  # the worker's end of its connection arrived here; the worker ended

PARENT_CHECK_S = 0.5
PR_SET_PDEATHSIG = 1
ORPHANED_EXIT_CODE = 113
FRESH_VARIABLE = "FOLDPROOF_FRESH_WORKERS"  # start workers as new programs instead of forks

# A process that uses macOS's frameworks, as NumPy does there, must not be forked.
FRESH_ALWAYS = sys.platform == "darwin"


class Host:
    """Starts workers on request, and reports how they ended."""

    def __init__(self, control: socket.socket, parent: int, tensorflow: bool) -> None:
        """Serve one process.

        Args:
            control: the connection to it.
            parent: its process id.
            tensorflow: workers need it.
        """
        self._control, self._parent, self._tensorflow = control, parent, tensorflow
        self._workers: dict[int, int] = {}  # numbers by process id
        self._child_ended, self._wake = socket.socketpair()

    def serve(self) -> None:
        """Answer requests until the other side is gone, then kill all workers."""
        for end in (self._child_ended, self._wake):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        goes_on = True
        while goes_on and os.getppid() == self._parent:
            sources = [self._control, self._child_ended]
            ready, _, _ = select.select(sources, [], [], PARENT_CHECK_S)
            self._report_ended()
            goes_on = self._control not in ready or self._answer()
        for pid in self._workers:
            os.kill(pid, signal.SIGKILL)

    def _answer(self) -> bool:
        """Answer one request; return False once the connection is closed."""
        try:
            request, handles, _, _ = socket.recv_fds(self._control, REQUEST.size, 1)
        except ConnectionError:
            return False
        if not request:
            return False
        what, number = REQUEST.unpack(request)
        if what == START:
            self._report(TAKEN, number)
            try:
                self._workers[self._start(handles[0])] = number
            except OSError:  # no memory, or too many processes: that one ended before it began
                traceback.print_exc()
                self._report(ENDED, number, 1)
        else:
            for pid in [pid for pid, known in self._workers.items() if known == number]:
                os.kill(pid, signal.SIGKILL)
        return True

    def _start(self, handle: int) -> int:
        """Start a worker on its end of a connection; return its process id."""
        try:
            if are_fresh():
                return _spawn(handle, self._tensorflow)
            host = os.getpid()
            pid = os.fork()
            if pid == 0:
                for end in (self._control, self._child_ended, self._wake):
                    end.close()
                _end_with_parent(host)
                _work_and_exit(handle)
            return pid
        finally:
            os.close(handle)

    def _report_ended(self) -> None:
        """Reap ended workers and report their exit codes."""
        with contextlib.suppress(BlockingIOError):
            self._child_ended.recv(4096)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                code = os.waitstatus_to_exitcode(ended[1])
                self._report(ENDED, self._workers.pop(ended[0]), code)

    def _report(self, what: bytes, number: int, code: int = 0) -> None:
        with contextlib.suppress(OSError):  # the other side is gone, which `serve` will find
            self._control.sendall(REPORT.pack(what, number, code))


def are_fresh(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a host with this environment starts workers as programs of their own."""
    return FRESH_ALWAYS or bool(environment.get(FRESH_VARIABLE))


def _spawn(handle: int, tensorflow: bool) -> int:
    """Start a worker as a program of its own, which loads everything anew."""
    os.set_inheritable(handle, True)
    module = ["-m", __spec__.name] if __spec__ else [__file__]
    told = ("worker", handle, int(tensorflow), os.getpid())
    arguments = [sys.executable, *module, *map(str, told)]
    return os.posix_spawn(sys.executable, arguments, os.environ)


def _work_and_exit(handle: int) -> NoReturn:
    """Run as a worker until the connection closes, then exit without the host's clean-up."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _work(Connection(handle))
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _work(connection: Connection) -> None:
    """Serve calls until the connection closes."""
    while True:
        try:
            call = connection.recv_bytes()
        except (EOFError, ConnectionError):
            return
        connection.send_bytes(_answer(call))


def _answer(call: bytes) -> bytes:
    """Run a pickled call; return the pickled pair of result and exception."""
    try:
        function, arguments = pickle.loads(call)  # noqa: S301  (from the process that started this)
        return pickle.dumps((function(*arguments), None))
    except Exception as error:
        error.add_note("".join(traceback.format_exception(error)))
        try:
            answer = pickle.dumps((None, error))
            pickle.loads(answer)  # noqa: S301  (not every exception can be made again)
        except Exception:
            text = "".join(traceback.format_exception_only(error))
            answer = pickle.dumps((None, RuntimeError(text)))
        return answer


def _end_with_parent(parent: int) -> None:
    """End this process as soon as its parent is gone; on Linux the kernel sees to it.

    Elsewhere a thread watches, which gets the interpreter often enough while a model trains.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == parent:
                return
    leave = threading.Event()

    def watch() -> None:
        while os.getppid() == parent:
            leave.wait(PARENT_CHECK_S)
        os._exit(ORPHANED_EXIT_CODE)

    threading.Thread(target=watch, name="parent-guard", daemon=True).start()


def load(needs_tensorflow: bool, libraries: Sequence[str] = ()) -> None:
    """Import what all workers need; a library that cannot be is the worker's to complain of."""
    collection.pause()
    if needs_tensorflow:
        import keras  # noqa: F401
        import tensorflow  # noqa: F401
    import foldproof.tasks.training.fold
    import foldproof.tasks.training.trial.model_trial
    import foldproof.tasks.workers.in_worker  # noqa: F401

    for library in libraries:
        with contextlib.suppress(Exception):
            import_module(library)
    # What is loaded now stays: workers need not look through it for garbage, nor copy its pages.
    gc.collect()
    collection.go_on()


def main(arguments: Sequence[str]) -> None:
    """Run as a host, or as a worker that was not forked.

    Args:
        arguments: host or worker; the number of the inherited socket; 1 where TensorFlow is
            needed; the process that it belongs to; of a host also libraries to load.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the other side's to handle
    # Since 3.12 Python warns of threads of C libraries; these have none that hold a lock by now.
    warnings.filterwarnings("ignore", ".*fork", DeprecationWarning)
    role, handle, needs_tensorflow = arguments[0], int(arguments[1]), arguments[2] == "1"
    parent = int(arguments[3])
    if role == "worker":
        _end_with_parent(parent)  # also while it loads
        load(needs_tensorflow)
        _work_and_exit(handle)
    control = socket.socket(fileno=handle)
    control.set_inheritable(False)  # no worker may hold it open when this process is killed
    if not are_fresh():
        load(needs_tensorflow, arguments[4:])
    Host(control, parent, needs_tensorflow).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
