"""Have a command done by a warm process, one that is there or a new one."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from foldproof.tasks.cli.warm.compatibility import compatibility_digest
from foldproof.tasks.cli.warm.sockets import RUN, Connection, connections
from foldproof.tasks.common.exit_codes import FAILED
from foldproof.tasks.common.places import python_path

PROGRAM = "foldproof.flows.warm_process"
FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STREAMS = (0, 1, 2)


def done_by_process(command: str, arguments: Sequence[str], idle_s: float) -> int | None:
    """Have a command done by a warm process; return its exit code, or None if it cannot be.

    Args:
        command: its name, such as cv.
        arguments: what follows it.
        idle_s: how long the process stays afterwards.

    Raises:
        InputError: the folder of the processes' sockets cannot be used.
    """
    if not all(map(_is_open, STREAMS)):
        return None  # nothing could be handed over in its place
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to stop
    compatible = compatibility_digest()
    request = {
        "ask": RUN,
        "idle_s": idle_s,
        "command": command,
        "arguments": [sys.argv[0], *arguments],
        "folder": os.getcwd(),
        "search": [folder for folder in sys.path if folder],
        "environment": dict(os.environ),
    }
    taken = next(filter(None, (_taken(each, request) for each in connections(compatible))), None)
    taken = taken or _taken(_start(compatible), request)
    return None if taken is None else _await(*taken)


def _is_open(handle: int) -> bool:
    try:
        os.fstat(handle)
    except OSError:
        return False
    return True


def _taken(connection: Connection, request: dict[str, Any]) -> tuple[Connection, Path] | None:
    """Return the connection, with its socket's path, if the process there takes the request."""
    with contextlib.suppress(OSError):
        connection.send(request, STREAMS)
        answer, _ = connection.receive()
        if answer and answer["taken"]:
            return connection, Path(answer["socket"])
    connection.close()
    return None


def _start(compatible: str) -> Connection:
    """Start a warm process, which is connected with this one from the beginning."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", PROGRAM, compatible, str(theirs.fileno())],
            env=os.environ | {"PYTHONPATH": python_path(), "PYTHONSAFEPATH": "1"},
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # it outlives this command, and Ctrl-C goes through this one
        )
    process.returncode = 0  # it stays: Popen would warn that nobody waited for its end
    return Connection(ours)


def _await(connection: Connection, socket_path: Path) -> int:
    """Forward signals until the command is done, and return its exit code."""
    forwarded: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        forwarded.append(number)
        with contextlib.suppress(OSError):
            connection.send({"signal": number})

    for number in FORWARDED:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, forward)
    message, _ = connection.receive()
    connection.close()
    if message is not None:
        return int(message["code"])
    with contextlib.suppress(OSError):
        socket_path.unlink()  # nobody is behind it any more
    if forwarded:
        return 128 + forwarded[-1]
    text = "the warm process of this command was killed"
    print(f"error: {text}; the same command goes on from what is stored", file=sys.stderr)
    return FAILED
