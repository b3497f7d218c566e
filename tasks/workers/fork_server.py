"""The fork server of a run: a process with TensorFlow loaded, from which workers are forked.

It differs from the standard one in two points. Its children never import the user's main
module, so that a script without a main guard, or a notebook, works. And it is private to
a run, with an environment of its own, so that the user's own use of multiprocessing is
not touched.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import context
from pathlib import Path
from typing import Any

from foldproof.tasks.common.places import python_path
from foldproof.tasks.machine.numerics import REMOVED_VARIABLES, worker_variables
from foldproof.tasks.workers.multiprocessing_internals import ForkedProcess, PrivateForkServer
from foldproof.tasks.workers.preload import LOG_VARIABLE, PRELOAD_VARIABLE


class ForkServerContext(context.ForkServerContext):
    """A multiprocessing context with a private fork server."""

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
            PRELOAD_VARIABLE: "tensorflow" if tensorflow else "light",
            LOG_VARIABLE: str(log or ""),
            # The server must find our modules whatever lies in the working directory.
            "PYTHONSAFEPATH": "1",
            "PYTHONPATH": python_path(),
        }
        self._server = PrivateForkServer(lambda: _environment(variables))
        self._server.set_forkserver_preload(["foldproof.tasks.workers.preload"])
        self.ensure_running()

    def Process(self, *args: Any, **kwargs: Any) -> ForkedProcess:  # type: ignore[override]  # noqa: N802
        """Create a process that this context's server will fork."""
        made = ForkedProcess(*args, **kwargs)
        made.server = self._server
        return made

    def ensure_running(self) -> None:
        """Start the server unless it runs, also after it was killed."""
        self._server.ensure_running()

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._server.pid

    def stop(self) -> None:
        """Kill the server, even while it is loading; its workers end with it."""
        self._server.kill()


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Change `os.environ` temporarily, while a child process that inherits it starts."""
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
