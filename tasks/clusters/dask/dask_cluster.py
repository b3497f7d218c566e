"""The Dask engine: each call is pinned to one worker, and Dask's own retries are off.

Dask would run a lost task up to three times more, under the same name; here a lost call is
reported, and the retries of the fold count.
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

from foldproof.tasks.clusters.dask.dask_internals import CommClosedError, describe_workers
from foldproof.tasks.clusters.protocol import ANSWER_TIMEOUT_S, POLL_INTERVAL_S, local_slot_count
from foldproof.tasks.common.errors import Disconnected, InputError, NodeLost
from foldproof.tasks.common.places import python_path
from foldproof.tasks.config.compute import ComputeSpec

FOLD, GPU = "fold", "GPU"  # the resources that a worker may declare
CONNECT_TIMEOUT_S = 20.0  # for a scheduler to answer the handshake
RESULT_TIMEOUT_S = 30.0  # for a finished result to be transferred
LOGGERS = ("distributed", "tornado")
CONNECTION_ERRORS = (CommClosedError, OSError, TimeoutError, RuntimeError, ValueError)


class DaskCluster:
    """A Dask cluster, given by the address of its scheduler."""

    def __init__(self, compute: ComputeSpec) -> None:
        """Connect to a scheduler, or start one and a worker on this machine.

        Raises:
            InputError: it does not answer as a scheduler does.
        """
        _mute_logs()
        self._threads, self._gpu = compute.threads, compute.device == "gpu"
        self._local = None if compute.address else _LocalDask(local_slot_count(compute))
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
        except CONNECTION_ERRORS as error:
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
        except CONNECTION_ERRORS as error:
            raise Disconnected(f"the Dask scheduler at {self._address} is gone") from error
        try:
            while not done.wait(POLL_INTERVAL_S):
                waiting()
            return self._result(future, node)
        finally:
            with contextlib.suppress(*CONNECTION_ERRORS):
                future.release()

    def broadcast(
        self, nodes: Sequence[str], function: Callable[..., Any], *arguments: Any
    ) -> None:
        """Run a short function in workers' event loops."""

        def run() -> None:
            with contextlib.suppress(Exception):  # they may be gone, and the scheduler, too
                self._client.run(function, *arguments, workers=list(nodes), on_error="ignore")

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(timeout=ANSWER_TIMEOUT_S)

    def reconnect(self) -> None:
        """Replace the client: after some time the old one stops reconnecting for good."""
        client = self._connect()
        self._client, old = client, self._client
        with contextlib.suppress(Exception):
            old.close(timeout=0)

    def close(self) -> None:
        """Close the client, and stop the scheduler and worker if we started them."""
        with contextlib.suppress(Exception):
            self._client.close(timeout=2)
        self._end_local()

    def _connect(self) -> Client:
        made: list[Client] = []

        def connect() -> None:
            with contextlib.suppress(Exception):  # another server may answer anything
                made.append(Client(self._address, timeout=ANSWER_TIMEOUT_S, set_as_default=False))

        # Its own timeout does not count once a server took the call that then says nothing.
        thread = threading.Thread(target=connect, daemon=True)
        thread.start()
        thread.join(timeout=CONNECT_TIMEOUT_S)
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
            return future.result(timeout=RESULT_TIMEOUT_S)
        except (KilledWorker, TimeoutError, CommClosedError):
            raise NodeLost(f"the Dask worker {node} ended") from None


class _LocalDask:
    """A scheduler and a worker in separate processes, for one run."""

    def __init__(self, slots: int) -> None:
        command = [sys.executable, "-m", "foldproof.tasks.clusters.dask.local_dask", str(slots)]
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
        """Stop both processes and wait for them."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=ANSWER_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _mute_logs() -> None:
    """Mute Dask's console log: foldproof reports what matters itself."""
    for name in [name for name in logging.root.manager.loggerDict if name.startswith(LOGGERS)]:
        for handler in logging.getLogger(name).handlers:
            handler.setLevel(logging.CRITICAL + 1)


def _environment() -> dict[str, str]:
    """Return an environment whose Python finds our modules before those of the user's folder."""
    return os.environ | {"PYTHONSAFEPATH": "1", "PYTHONPATH": python_path()}
