"""A fork server of our own: workers start from a process that has TensorFlow loaded.

It differs from the standard one in two points. Its children never import the user's main
module, so that a script without a main guard, or a notebook, works. And it is private to
a run, with an environment of its own, so that the user's own use of multiprocessing is
not touched.
"""

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import context, forkserver, popen_forkserver, process, reduction, spawn, util
from pathlib import Path
from typing import Any

from foldproof.tasks.common.places import python_path
from foldproof.tasks.machine.numerics import REMOVED_VARIABLES, worker_variables
from foldproof.tasks.workers.preload import LOG_VARIABLE, VARIABLE

MAIN_MODULE_KEYS = ("init_main_from_name", "init_main_from_path")


class ForkServerContext(context.ForkServerContext):
    """A multiprocessing context whose processes come from a fork server of its own."""

    def __init__(
        self,
        tensorflow: bool,
        threads: int,
        scratch: Path,
        log: Path | None,
        deviations: Mapping[str, str] | None = None,
    ) -> None:
        """Start the server; it loads what workers need while the caller goes on.

        Args:
            tensorflow: load TensorFlow and Keras, too.
            threads: BLAS threads of the workers.
            scratch: an existing folder of the run.
            log: the file for what libraries print, or None for the terminal.
            deviations: variables that an audit wants otherwise than every other run.
        """
        pinned = worker_variables(threads, scratch / "keras") | dict(deviations or {})
        variables = pinned | {
            VARIABLE: "tensorflow" if tensorflow else "light",
            LOG_VARIABLE: str(log or ""),
            # The server must find our modules whatever lies in the working directory.
            "PYTHONSAFEPATH": "1",
            "PYTHONPATH": python_path(),
        }
        self._server = _Server(variables)
        self._server.set_forkserver_preload(["foldproof.tasks.workers.preload"])
        self.ensure_running()

    def Process(self, *args: Any, **kwargs: Any) -> "WorkerProcess":  # type: ignore[override]  # noqa: N802
        """Make a process that this context's own server will fork."""
        made = WorkerProcess(*args, **kwargs)
        made.server = self._server
        return made

    def ensure_running(self) -> None:
        """Start the server, or start it again if it was killed."""
        self._server.ensure_running()

    @property
    def pid(self) -> int:
        """The server's process."""
        return int(self._server._forkserver_pid)  # type: ignore[attr-defined]

    def stop(self) -> None:
        """Kill the server, even while it still loads; its workers end with it."""
        with contextlib.suppress(ProcessLookupError, TypeError):
            os.kill(self.pid, signal.SIGKILL)
        self._server._stop()  # type: ignore[attr-defined]


class _Server(forkserver.ForkServer):
    """A fork server that has the workers' environment, after it was killed and restarted, too."""

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__()
        self._variables = variables

    def ensure_running(self) -> None:
        """Start it if it does not run; each new process asks for that."""
        with _environment(self._variables):
            super().ensure_running()


class WorkerProcess(context.ForkServerProcess):
    """A process that a given server forks."""

    server: forkserver.ForkServer

    def __getstate__(self) -> dict[str, Any]:
        """Travel to the new process without the server, which stays here."""
        return {name: value for name, value in vars(self).items() if name != "server"}

    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802
        return _Popen(process_obj, process_obj.server)


class _Popen(popen_forkserver.Popen):
    """Launch from a given server, and leave the main module out of the preparation."""

    def __init__(self, process_obj: process.BaseProcess, server: forkserver.ForkServer) -> None:
        self._server = server
        super().__init__(process_obj)

    def _launch(self, process_obj: process.BaseProcess) -> None:
        preparation = spawn.get_preparation_data(process_obj.name)
        for key in (*MAIN_MODULE_KEYS, "sys_path", "sys_argv"):
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


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set the environment that a child process starts with, for as long as it takes."""
    before = dict(os.environ)
    try:
        for name in REMOVED_VARIABLES:
            os.environ.pop(name, None)
        os.environ.update(variables)
        yield
    finally:
        for name in {*variables, *REMOVED_VARIABLES}:
            os.environ.pop(name, None)
            if name in before:
                os.environ[name] = before[name]
        sys.stdout.flush()
