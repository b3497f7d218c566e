"""The Ray engine: one actor per node holds all of its resources, and Ray never restarts it.

The actor reserves `num_cpus` or `num_gpus` for all folds that train at a time on its node.
A lost actor is replaced from here, and the retries of the folds count.
"""

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # before Ray is imported: it would call home

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from foldproof.tasks.clusters.protocol import ANSWER_TIMEOUT_S, POLL_INTERVAL_S, local_slot_count
from foldproof.tasks.common.errors import Disconnected, InputError, NodeLost
from foldproof.tasks.config.compute import ComputeSpec

HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"  # RFC 9113, 3.4
FRAME_TYPE_BYTE = 3  # index of the type byte in an HTTP/2 frame header
EXTRA_CALLS = 4  # concurrent calls of an actor in addition to its folds


class _Actor:
    """The actor that executes calls on its node."""

    def call(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:
        """Run a function here."""
        return function(*arguments)


class RayCluster:
    """A Ray cluster, given by the address of its head node."""

    def __init__(self, compute: ComputeSpec) -> None:
        """Connect to a head node, or start Ray on this machine.

        Raises:
            InputError: it does not answer as a head does, or this machine is no node.
        """
        self._compute = compute
        self._gpu = compute.device == "gpu"
        self._actors: dict[str, Any] = {}
        self._offers: dict[str, int] = {}
        self._lock = threading.Lock()
        self._start()

    def nodes(self) -> dict[str, int]:
        """Return how many folds at a time each node offers, by the node's id."""
        try:
            alive = [node for node in ray.nodes() if node["Alive"]]
        except Exception as error:
            raise Disconnected("the Ray head is gone") from error
        self._offers = {node["NodeID"]: self._offer(node["Resources"]) for node in alive}
        return {name: offer for name, offer in self._offers.items() if offer}

    def call(
        self,
        node: str,
        function: Callable[..., Any],
        *arguments: Any,
        fold: bool,
        waiting: Callable[[], None],
    ) -> Any:
        """Run a function in the actor of a node and return its result."""
        done = threading.Event()
        actor = self._actor(node)
        try:
            future = actor.call.remote(function, arguments).future()
            future.add_done_callback(lambda _: done.set())
            while not done.wait(POLL_INTERVAL_S):
                waiting()
            return future.result()
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except ray.exceptions.RayError:
            self._forget(node, actor)
            raise NodeLost("the Ray node or its process ended") from None

    def broadcast(
        self, nodes: Sequence[str], function: Callable[..., Any], *arguments: Any
    ) -> None:
        """Run a short function in the actors of nodes."""
        for node in nodes:
            if node in self._actors:
                with contextlib.suppress(Exception):
                    self._actors[node].call.remote(function, arguments)

    def reconnect(self) -> None:
        """Ray reconnects by itself, or ends this process."""
        self.nodes()

    def close(self) -> None:
        """Kill the actors with their workers, and shut Ray down."""
        for actor in self._actors.values():
            with contextlib.suppress(Exception):
                ray.kill(actor)
        with _keep_signal_handlers():
            ray.shutdown()

    def _start(self) -> None:
        options: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
        if self._compute.address is None:
            slots = local_slot_count(self._compute)
            options |= {"include_dashboard": False, "num_cpus": slots * self._compute.threads}
        else:
            options["address"] = self._compute.address.removeprefix("tcp://")
            _check_head(options["address"])
        try:
            with _keep_signal_handlers():
                ray.init(**options)
        except Exception as error:  # Ray's own errors here are of many kinds
            text = " ".join(str(error).split())[:200]
            problem = f"Ray cannot be joined from this machine ({text}); start a node here first"
            raise InputError("compute.address", problem) from None

    def _actor(self, node: str) -> Any:
        with self._lock:
            if node not in self._actors:
                self._actors[node] = self._new_actor(node)
            return self._actors[node]

    def _new_actor(self, node: str) -> Any:
        folds = self._offers[node]
        need: dict[str, float] = {"num_cpus": folds * self._compute.threads, "num_gpus": 0}
        if self._gpu:
            need = {"num_cpus": 0, "num_gpus": folds / self._compute.folds_per_gpu}
        return (
            ray.remote(_Actor)
            .options(
                **need,
                max_restarts=0,
                max_task_retries=0,
                max_concurrency=folds + EXTRA_CALLS,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False),
            )
            .remote()
        )

    def _forget(self, node: str, actor: Any) -> None:
        with self._lock:
            if self._actors.get(node) is actor:
                del self._actors[node]
                with contextlib.suppress(Exception):
                    ray.kill(actor)

    def _offer(self, resources: dict[str, float]) -> int:
        if self._gpu:
            return int(resources.get("GPU", 0)) * self._compute.folds_per_gpu
        return int(resources.get("CPU", 0)) // self._compute.threads


def _check_head(address: str) -> None:
    """Reject a server that does not speak HTTP/2 as a head does; Ray would retry it for minutes."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=ANSWER_TIMEOUT_S) as connection:
            connection.sendall(HTTP2_PREFACE)
            answer = connection.recv(FRAME_TYPE_BYTE + 1)
    except OSError:
        answer = b""
    if answer[FRAME_TYPE_BYTE:] != b"\x04":
        raise InputError("compute.address", f"{address!r} is no Ray head; correct it")


@contextmanager
def _keep_signal_handlers() -> Iterator[None]:
    """Restore the signal handlers afterwards: Ray installs its own."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)
