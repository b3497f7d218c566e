"""Real clusters for tests: schedulers, workers and heads as processes of their own."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.support.places import ROOT
from tests.support.processes import free_port, kill, open_process, wait_for

REGISTERED = "Registered to"  # what a Dask worker says when it has joined
AGENT_PORT = 52365  # Ray's own, which its head refuses for anything else
BIN = Path(sys.executable).parent


def answers(address: str) -> bool:
    """Tell whether somebody listens at an address."""
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


class Processes:
    """Processes, each in a session of its own, that end with the test."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._started: list[subprocess.Popen[bytes]] = []
        paths = os.pathsep.join([str(ROOT), *filter(None, [os.getenv("PYTHONPATH")])])
        self._variables = os.environ | variables | {"PYTHONPATH": paths}

    def start(self, *command: str, **variables: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"log-{len(self._started)}"
        process = open_process(command, self.folder, self._variables | variables, log, log)
        self._started.append(process)
        return process

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("log-*")))

    def stop(self) -> None:
        for process in self._started:
            kill(process)


class Dask(Processes):
    """A scheduler and workers; each worker is a node."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", **variables: str) -> None:
        super().__init__(folder, **variables)
        self.address = f"{host}:{free_port()}"
        self.start_scheduler()

    def start_scheduler(self) -> None:
        host, port = self.address.split(":")
        command = (str(BIN / "dask"), "scheduler", "--no-dashboard")
        self.scheduler = self.start(*command, "--host", host, "--port", port)
        wait_for(lambda: answers(self.address), self.logs)

    def worker(
        self,
        folds: int = 1,
        before: tuple[str, ...] = (),
        host: str = "127.0.0.1",
        **variables: str,
    ) -> subprocess.Popen[bytes]:
        """Start a node; its nanny starts its worker again when that dies."""
        command = (*before, str(BIN / "dask"), "worker", self.address, "--no-dashboard")
        command += ("--nthreads", str(folds), "--resources", f"fold={folds}", "--host", host)
        known = self.logs().count(REGISTERED)
        process = self.start(*command, "--memory-limit", "0", **variables)
        wait_for(lambda: self.logs().count(REGISTERED) > known, self.logs)
        return process


class Ray(Processes):
    """A head and further nodes on this machine, each with a number of CPUs."""

    def __init__(self, folder: Path, *cpus: int) -> None:
        super().__init__(folder, RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="disabled")
        port = str(next(port for port in iter(free_port, None) if port != AGENT_PORT))
        self.address = f"127.0.0.1:{port}"
        self._short = Path("/tmp") / f"fp-ray-{os.getpid()}-{port}"  # sockets have short names
        self.nodes = [self._node("--head", "--port", port, "--num-cpus", str(cpus[0]))]
        wait_for(lambda: answers(self.address), self.logs)
        for count in cpus[1:]:
            self.join(count)

    def join(self, cpus: int) -> subprocess.Popen[bytes]:
        self.nodes.append(self._node("--address", self.address, "--num-cpus", str(cpus)))
        return self.nodes[-1]

    def _node(self, *options: str) -> subprocess.Popen[bytes]:
        ports = ("--min-worker-port", "0", "--max-worker-port", "0")
        quiet = ("--include-dashboard=false", "--temp-dir", str(self._short))
        known = (*ports, *(quiet if "--head" in options else ()))
        return self.start(str(BIN / "ray"), "start", "--block", *options, *known)

    def stop(self) -> None:
        super().stop()
        subprocess.run(["rm", "-rf", str(self._short)], check=True)
