"""Calls on a Dask cluster: a task is bound to its worker, and Dask itself never tries again.

Dask would run a lost task up to three times more, under the same name; here a lost call is
reported, and the fold's own tries count.
"""

import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from distributed import Client, KilledWorker

from foldproof.tasks.clusters.dask_internals import CommClosedError, describe_workers
from foldproof.tasks.clusters.protocol import ANSWER, PAUSE, slots_here
from foldproof.tasks.common.errors import Disconnected, InputError, NodeLost
from foldproof.tasks.common.places import python_path
from foldproof.tasks.config.compute import ComputeSpec

FOLD, GPU = "fold", "GPU"  # the resources that a worker may declare
SILENCE = 20.0  # seconds after which a server that says nothing is none
FETCH = 30.0  # seconds that a result which is there may take to come
LOGGERS = ("distributed", "tornado")
LOST = (CommClosedError, OSError, TimeoutError, RuntimeError, ValueError)


class DaskCluster:
    """A Dask cluster, by the address of its scheduler."""

    def __init__(self, compute: ComputeSpec) -> None:
        """Reach a scheduler, or start one and a worker on this machine.

        Raises:
            InputError: it does not answer as a scheduler does.
        """
        _silence()
        self._threads, self._gpu = compute.threads, compute.device == "gpu"
        self._local = None if compute.address else _LocalDask(slots_here(compute))
        self._address = self._local.address if self._local else str(compute.address)
        self._resources: dict[str, dict[str, float]] = {}
        try:
            self._client = self._connect()
        except Disconnected:
            self._end_local()
            problem = f"{self._address!r} is no Dask scheduler of this version; correct it"
            raise InputError("compute.address", problem) from None

    def nodes(self) -> dict[str, int]:
        """Return how many folds at a time each worker offers, by its address."""
        try:
            workers = describe_workers(self._client)
        except LOST as error:
            raise Disconnected(f"the Dask scheduler at {self._address} is gone") from error
        name = GPU if self._gpu else FOLD
        self._resources = {
            address: {name: 1.0} if name in worker["resources"] else {}
            for address, worker in workers.items()
        }
        return {address: self._offer(worker, name) for address, worker in workers.items()}

    def call(
        self,
        node: str,
        function: Callable[..., Any],
        *arguments: Any,
        fold: bool,
        waiting: Callable[[], None],
    ) -> Any:
        """Run a function on a worker and return its result."""
        done = threading.Event()
        resources = self._resources.get(node) if fold else None
        try:
            future = self._client.submit(
                function,
                *arguments,
                workers=[node],
                resources=resources or None,
                retries=0,
                pure=False,
            )
            future.add_done_callback(lambda _: done.set())
        except LOST as error:
            raise Disconnected(f"the Dask scheduler at {self._address} is gone") from error
        try:
            while not done.wait(PAUSE):
                waiting()
            return self._result(future, node)
        finally:
            with contextlib.suppress(*LOST):
                future.release()

    def tell(self, nodes: Sequence[str], function: Callable[..., Any], *arguments: Any) -> None:
        """Run a short function in workers' event loops."""

        def run() -> None:
            with contextlib.suppress(Exception):  # they may be gone, and the scheduler, too
                self._client.run(function, *arguments, workers=list(nodes), on_error="ignore")

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(timeout=ANSWER)

    def reconnect(self) -> None:
        """Make a new client: the old one gives up for ever after a while."""
        client = self._connect()
        self._client, old = client, self._client
        with contextlib.suppress(Exception):
            old.close(timeout=0)

    def close(self) -> None:
        """Close the client, and end a scheduler and worker of our own."""
        with contextlib.suppress(Exception):
            self._client.close(timeout=2)
        self._end_local()

    def _connect(self) -> Client:
        made: list[Client] = []

        def connect() -> None:
            with contextlib.suppress(Exception):  # another server may answer anything
                made.append(Client(self._address, timeout=ANSWER, set_as_default=False))

        # Its own timeout does not count once a server took the call that then says nothing.
        thread = threading.Thread(target=connect, daemon=True)
        thread.start()
        thread.join(timeout=SILENCE)
        if not made:
            raise Disconnected(f"the Dask scheduler at {self._address} is gone")
        return made[0]

    def _end_local(self) -> None:
        if self._local is not None:
            self._local.stop()

    def _offer(self, worker: Any, name: str) -> int:
        """Return a worker's declared folds, or its threads; each fold holds one while it trains."""
        threads = int(worker["nthreads"])
        if name in worker["resources"]:
            return min(threads, int(worker["resources"][name]))
        return threads if self._gpu else max(1, threads // self._threads)

    def _result(self, future: Any, node: str) -> Any:
        status = future.status
        if status in ("cancelled", "lost"):
            raise Disconnected(f"the Dask scheduler at {self._address} is gone")
        try:
            return future.result(timeout=FETCH)
        except (KilledWorker, TimeoutError, CommClosedError):
            raise NodeLost(f"the Dask worker {node} ended") from None


class _LocalDask:
    """A scheduler and a worker in processes of their own, for one run."""

    def __init__(self, slots: int) -> None:
        command = [sys.executable, "-m", "foldproof.tasks.clusters.local_dask", str(slots)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # its end is how they learn that this process ended
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=_environment(),
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        if not self.address:
            raise InputError("compute.engine", "Dask does not start on this machine; use local")

    def stop(self) -> None:
        """End them, and wait until they have ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=ANSWER)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _silence() -> None:
    """Keep Dask's log off the terminal: what matters is said by us."""
    for name in [name for name in logging.root.manager.loggerDict if name.startswith(LOGGERS)]:
        for handler in logging.getLogger(name).handlers:
            handler.setLevel(logging.CRITICAL + 1)


def _environment() -> dict[str, str]:
    """Return an environment whose Python finds our modules before those of the user's folder."""
    return os.environ | {"PYTHONSAFEPATH": "1", "PYTHONPATH": python_path()}
