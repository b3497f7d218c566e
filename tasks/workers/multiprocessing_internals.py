"""Processes forked from a server of one's own, on the private names of `multiprocessing`.

Read from CPython 3.11.7, the same in 3.12 and 3.13; 3.14 changed how a server is spoken to.
`test_multiprocessing_internals` fails when a name changes.
"""

import contextlib
import io
import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing import context, forkserver, popen_forkserver, process, reduction, spawn, util
from typing import Any

READ_FROM = "3.11.7"
# Where a child would find, and import, the main module; and what our own processes do not need.
LEFT_OUT = ("init_main_from_name", "init_main_from_path", "sys_path", "sys_argv")


class PrivateForkServer(forkserver.ForkServer):
    """A fork server of one's own, with an environment that a restarted one has as well."""

    def __init__(self, environment: Callable[[], AbstractContextManager[None]]) -> None:
        """Make a server that is not running yet.

        Args:
            environment: sets `os.environ` as the server needs it, for as long as it starts.
        """
        super().__init__()
        self._environment = environment

    def ensure_running(self) -> None:
        """Start it if it does not run; each new process asks for that."""
        with self._environment():
            super().ensure_running()

    @property
    def pid(self) -> int:
        """The server's process id.

        Raises:
            TypeError: it does not run.
        """
        return int(self._forkserver_pid)  # type: ignore[attr-defined]

    def kill(self) -> None:
        """Kill the server, even while it still loads; its children end with it."""
        with contextlib.suppress(ProcessLookupError, TypeError):
            os.kill(self.pid, signal.SIGKILL)
        self._stop()  # type: ignore[attr-defined]


class ForkedProcess(context.ForkServerProcess):
    """A process that a given server forks."""

    server: PrivateForkServer

    def __getstate__(self) -> dict[str, Any]:
        """Travel to the new process without the server, which stays here."""
        return {name: value for name, value in vars(self).items() if name != "server"}

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802
        return _Popen(process_obj, process_obj.server)


class _Popen(popen_forkserver.Popen):
    """Launch from a given server, and leave the main module out of the preparation."""

    def __init__(self, process_obj: process.BaseProcess, server: PrivateForkServer) -> None:
        self._server = server
        super().__init__(process_obj)

    def _launch(self, process_obj: process.BaseProcess) -> None:
        preparation = spawn.get_preparation_data(process_obj.name)
        for key in LEFT_OUT:
            preparation.pop(key, None)
        buffer = io.BytesIO()
        context.set_spawning_popen(self)
        try:
            reduction.dump(preparation, buffer)
            reduction.dump(process_obj, buffer)
        finally:
            context.set_spawning_popen(None)
        self.sentinel, write_end = self._server.connect_to_new_process(self._fds)  # type: ignore[attr-defined]
        guard = os.dup(write_end)  # closes when this process ends: the worker watches it
        self.finalizer = util.Finalize(self, _close, (guard, self.sentinel))
        with os.fdopen(write_end, "wb") as pipe:
            pipe.write(buffer.getbuffer())
        self.pid = forkserver.read_signed(self.sentinel)


def _close(*handles: int) -> None:
    for handle in handles:
        os.close(handle)


def allow_children() -> None:
    """Let this process start processes of its own, though it may be a daemon, which may not."""
    with contextlib.suppress(AssertionError):  # it started too long ago to be changed
        multiprocessing.current_process().daemon = False
