"""The warm process: it does one command after another, with what the last one left loaded.

A command ends it that was stopped or broke: what such a command leaves is not known. So do
idle time, `foldproof stop` and SIGTERM.
"""

import contextlib
import importlib
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from foldproof.tasks.cli.warm.sockets import RUN, STATUS, STOP, Connection, listen
from foldproof.tasks.common.errors import InputError
from foldproof.tasks.common.exit_codes import DONE, FAILED, INCOMPLETE, WRONG_INPUT
from foldproof.tasks.common.process.kept import kept_names, serve_commands, shutdown
from foldproof.tasks.common.version import VERSION

CODES_OF_COMPLETED_COMMANDS = (DONE, FAILED, WRONG_INPUT, INCOMPLETE)
STREAMS = 3
FIRST_TIMEOUT_S = 60.0  # of waiting where the command that started this process was killed
NOWHERE_TO_BE = "/"  # a process in a folder of somebody's would keep that busy

Perform = Callable[[str, Sequence[str]], int]


class WarmServer:
    """Does commands one after the other; asked for one while it does another, it declines."""

    def __init__(self, perform: Perform) -> None:
        """Take what does a command: from its name and arguments to its exit code."""
        self._perform = perform
        # None in the queue ends the process. It is busy from when it accepts a command, in the
        # thread of that connection, until the main thread has done it.
        self._requests: SimpleQueue[tuple[Connection, dict[str, Any]] | None] = SimpleQueue()
        self._lock, self._busy, self._ends = threading.Lock(), False, False
        self._idle_since, self._idle_s = time.monotonic(), FIRST_TIMEOUT_S
        self._socket_path: Path | None = None

    def serve(self, compatible: str, first: socket.socket) -> None:
        """Do compatible commands until there is a reason to end.

        Args:
            compatible: the digest that these commands have in common.
            first: the connection to the command that started this process.
        """
        self._ignore_signals()
        try:
            listener, self._socket_path = listen(compatible)
            threading.Thread(target=self._answer_all, args=[listener], daemon=True).start()
        except (InputError, OSError) as error:
            print(f"not kept warm: {error}", file=sys.stderr)
        try:
            self._take(Connection(first))
            self._ends = self._ends or self._socket_path is None  # nobody could come in
            self._serve()
        finally:
            if self._socket_path is not None:
                self._socket_path.unlink(missing_ok=True)
            shutdown()

    def _ignore_signals(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: self._requests.put(None))

    def _serve(self) -> None:
        while (request := self._next()) is not None:
            self._do(*request)
            if self._ends:
                return

    def _next(self) -> tuple[Connection, dict[str, Any]] | None:
        """Wait for a command; None when none has come for long enough."""
        while True:
            with contextlib.suppress(Empty):
                return self._requests.get(timeout=self._idle_s)
            with self._lock:
                if not self._busy:  # else one is being taken in
                    self._ends = True
                    return None

    def _answer_all(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = listener.accept()
                threading.Thread(
                    target=self._take, args=[Connection(accepted)], daemon=True
                ).start()

    def _take(self, connection: Connection) -> None:
        """Answer what a command asks over a connection."""
        asked, handles = connection.receive(STREAMS)
        with contextlib.suppress(OSError):
            if asked and asked["ask"] == RUN and len(handles) == STREAMS:
                with self._lock:
                    taken = not self._busy and not self._ends
                    self._busy = self._busy or taken
                connection.send({"taken": taken, "socket": str(self._socket_path or "")})
                if taken:
                    self._requests.put((connection, asked | {"streams": handles}))
                    return
            elif asked and asked["ask"] in (STATUS, STOP):
                connection.send(self._state())
                if asked["ask"] == STOP:
                    self._end()
                    return  # who asked waits for this process's end
        for handle in handles:
            os.close(handle)
        connection.close()

    def _state(self) -> dict[str, Any]:
        idle = 0.0 if self._busy else time.monotonic() - self._idle_since
        return {
            "pid": os.getpid(),
            "version": VERSION,
            "busy": self._busy,
            "idle_s": idle,
            "ends_in_s": max(0.0, self._idle_s - idle),
            "kept": kept_names(),
        }

    def _end(self) -> None:
        """End now, or after the command that is under way."""
        with self._lock:
            self._ends = True
            if not self._busy:
                self._requests.put(None)

    def _do(self, connection: Connection, request: dict[str, Any]) -> None:
        """Do a command, which lends its streams and its folder, and tell it the exit code.

        No code of the user's is imported in this process, so none of it can be stale here.
        """
        _enter(request)
        self._idle_s = request["idle_s"]
        serve_commands(self._idle_s)
        done = threading.Event()
        listening = threading.Thread(target=_forward, args=[connection, done], daemon=True)
        listening.start()
        code = self._exit_code(request)
        done.set()
        self._ignore_signals()
        _step_out()
        with self._lock:
            self._ends = self._ends or code not in CODES_OF_COMPLETED_COMMANDS
            self._busy, self._idle_since = False, time.monotonic()
        with contextlib.suppress(OSError):
            connection.send({"code": code})
        connection.close()
        listening.join()

    def _exit_code(self, request: dict[str, Any]) -> int:
        try:
            return self._perform(request["command"], sys.argv[1:])
        except SystemExit as error:
            if error.code is None or isinstance(error.code, int):
                return error.code or DONE
            print(error.code, file=sys.stderr)
        except BaseException:
            traceback.print_exc()
            self._ends = True
        return FAILED


def _forward(connection: Connection, done: threading.Event) -> None:
    """Give the main thread the signals that the command gets; its sudden end is one."""
    main = threading.main_thread().ident or 0
    while True:
        message, _ = connection.receive()
        if done.is_set():
            return
        is_interrupt = message is not None and message["signal"] == signal.SIGINT
        signal.pthread_kill(main, signal.SIGINT if is_interrupt else signal.SIGTERM)
        if message is None:
            return


def _enter(request: dict[str, Any]) -> None:
    """Take over the streams, folder, environment and search path of a command."""
    for number, handle in enumerate(request["streams"]):
        os.dup2(handle, number)
        os.close(handle)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv[:] = request["arguments"]
    sys.path[:] = request["search"]
    importlib.invalidate_caches()  # modules may have come since the last command
    sys.stdout, sys.stderr = _stream(1), _stream(2)
    logging.disable(logging.NOTSET)  # `cli.cv` silences it at a command's end
    logging.raiseExceptions = True


def _stream(number: int) -> Any:
    before = (sys.__stdout__, sys.__stderr__)[number - 1]
    return open(
        number,
        "w",
        buffering=1 if number == 2 or os.isatty(number) else -1,
        encoding=before.encoding if before else None,
        errors=before.errors if before else None,
        closefd=False,
    )


def _step_out() -> None:
    """Let go of the streams and the folder of a command."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(STREAMS):
        os.dup2(nothing, number)
    os.close(nothing)
    os.chdir(NOWHERE_TO_BE)
