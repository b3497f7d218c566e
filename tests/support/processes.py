"""Processes that tests start, and waiting for what they do: nothing waits without a deadline."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil

PATIENCE_S = 400.0  # a guard against hanging, not a measure of speed
POLL_S = 0.05
GONE_S = 10.0  # in which what a command started is promised to have gone with it
TOLD = 6000  # characters at the end of a log that a failure shows


@dataclass(frozen=True)
class Ended:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Started:
    """A command in a session of its own; what it says goes to files, since a full pipe blocks."""

    process: subprocess.Popen[bytes]
    out_path: Path
    err_path: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def out(self) -> str:
        """What it has printed so far."""
        return self.out_path.read_text(errors="replace")

    @property
    def err(self) -> str:
        """What it has said on stderr so far."""
        return self.err_path.read_text(errors="replace")

    def wait_for(self, condition: Callable[[], Any], patience: float = PATIENCE_S) -> None:
        """Wait for a condition while the process lives."""

        def lives_and_holds() -> bool:
            if condition():
                return True
            assert self.process.poll() is None, self.out + self.err
            return False

        wait_for(lives_and_holds, lambda: self.out + self.err, patience)

    def send(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ended(self, patience: float = PATIENCE_S) -> Ended:
        """Wait for its end."""
        code = self.process.wait(patience)
        return Ended(code, self.out, self.err)


class Start(Protocol):
    """Starts a command in a folder with further environment variables; it ends with the test."""

    def __call__(self, command: Iterable[str], folder: Path, **variables: str) -> Started:
        """Start it."""


def users_environment() -> dict[str, str]:
    """Return the environment without what pytest says of the test in hand."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}


@contextmanager
def starting(logs: Path) -> Iterator[Start]:
    """Give a function that starts commands, which log to a folder; kill them all at the end."""
    begun: list[Started] = []

    def start(command: Iterable[str], folder: Path, **variables: str) -> Started:
        out, err = (logs / f"{len(begun)}.{kind}" for kind in ("out", "err"))
        process = open_process(command, folder, users_environment() | variables, out, err)
        begun.append(Started(process, out, err))
        return begun[-1]

    try:
        yield start
    finally:
        for each in begun:
            kill(each.process)


def open_process(
    command: Iterable[str], folder: Path, environment: dict[str, str], out: Path, err: Path
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, without input; it appends to its logs."""
    with out.open("ab") as said, err.open("ab") as complained:
        return subprocess.Popen(
            list(command),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=complained,
            start_new_session=True,
        )


def wait_for(
    condition: Callable[[], Any],
    said: Callable[[], str] = lambda: "",
    patience: float = PATIENCE_S,
) -> None:
    """Wait for a condition; if it does not come true, fail with what somebody said."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, said()[-TOLD:]
        time.sleep(POLL_S)


def join_all(threads: Iterable[threading.Thread], patience: float = PATIENCE_S) -> None:
    """Wait for the end of threads."""
    deadline = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
        assert not thread.is_alive()


def as_soon_as(condition: Callable[[], Any], act: Callable[[], None]) -> threading.Thread:
    """Do something in a thread as soon as a condition holds."""

    def wait_and_act() -> None:
        wait_for(condition)
        act()

    thread = threading.Thread(target=wait_and_act, daemon=True)
    thread.start()
    return thread


def end(process: subprocess.Popen[bytes], patience: float = 20) -> None:
    """End a process by SIGTERM, and kill what it has started."""
    if process.poll() is None:
        started = children(process.pid)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
        for each in filter(lives, started):
            each.kill()
    process.wait(PATIENCE_S)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it started, by signal 9, at once."""
    if process.poll() is None:
        for each in family(process.pid):
            try:
                os.kill(each.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    process.wait(PATIENCE_S)


def children(pid: int) -> list[psutil.Process]:
    """Return all processes that a process has started, and those they have started."""
    return psutil.Process(pid).children(recursive=True)


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all that it started."""
    return [psutil.Process(pid), *children(pid)]


def lives(process: psutil.Process) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_gone(processes: list[psutil.Process], patience: float = GONE_S) -> bool:
    """Wait until all processes are gone; tell whether they are."""
    deadline = time.monotonic() + patience
    while any(map(lives, processes)) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return not any(map(lives, processes))


def seconds_until_gone(processes: list[psutil.Process]) -> float:
    """Wait until all processes are gone and return how long it took."""
    began = time.monotonic()
    wait_for(lambda: not any(map(lives, processes)), lambda: str(processes), 60)
    return time.monotonic() - began


def left_behind(folder: Path) -> list[list[str]]:
    """Return the commands of the processes that still work in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(folder) and lives(process):
                found.append(process.cmdline())
        except (psutil.Error, OSError):
            continue
    return found


def free_port() -> int:
    """Return a port of this machine that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
