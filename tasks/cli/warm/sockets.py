"""How a command reaches a warm process: a socket in a folder that only its user can open.

Messages are JSON, each on a line. A command sends `ask: run` with what it is to do, and hands over
its three standard streams; it is answered `taken`, may send `signal`s, and gets `code` at the end.
`ask: status` and `ask: stop` are answered by the process's state.
"""

import contextlib
import json
import os
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from foldproof.tasks.common.errors import InputError

ENDING = ".socket"
LONGEST_MESSAGE = 1 << 24  # bytes
RUN, STATUS, STOP = "run", "status", "stop"  # what is asked of a warm process
BLOCK = 1 << 16


class Connection:
    """A connection over which both sides send messages."""

    def __init__(self, connection: socket.socket) -> None:
        """Take a connected socket, which is closed with this."""
        self._socket, self._rest = connection, b""

    def send(self, message: Any, handles: tuple[int, ...] = ()) -> None:
        """Send a message, and open files with it.

        Raises:
            OSError: the other side is gone.
        """
        text = json.dumps(message).encode() + b"\n"
        sent = socket.send_fds(self._socket, [text[:BLOCK]], handles) if handles else 0
        self._socket.sendall(text[sent:])

    def receive(self, n_handles: int = 0) -> tuple[Any, list[int]]:
        """Wait for a message; return it, or None once the other side is gone, and its files.

        Args:
            n_handles: how many open files may come with it.
        """
        found: list[int] = []
        with contextlib.suppress(ConnectionError, ValueError):  # gone, or no message of ours
            while b"\n" not in self._rest and len(self._rest) < LONGEST_MESSAGE:
                block, handles, _, _ = socket.recv_fds(self._socket, BLOCK, n_handles)
                found += handles
                if not block:
                    return None, found
                self._rest += block
            text, _, self._rest = self._rest.partition(b"\n")
            return json.loads(text), found
        return None, found

    def ask(self, question: str) -> Any:
        """Send a question and return its answer, or None where nobody is there; then close.

        Asked to stop, a process that is idle is gone when this returns.
        """
        with contextlib.suppress(OSError), contextlib.closing(self):
            self.send({"ask": question})
            answer, _ = self.receive()
            if question == STOP and answer and not answer["busy"]:
                self.receive()
            return answer
        return None

    def close(self) -> None:
        """Close the connection, also for a thread that waits for a message."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def socket_folder() -> Path:
    """Return the folder of this user's sockets; it is made if it is not there.

    Raises:
        InputError: it is not this user's alone.
    """
    user = os.getuid()
    homes = (os.environ.get("XDG_RUNTIME_DIR") or "", f"/run/user/{user}")
    home = next((Path(each) for each in homes if each and os.access(each, os.W_OK)), None)
    folder = home / "foldproof" if home else Path(tempfile.gettempdir()) / f"foldproof-of-{user}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise InputError("--keep-warm", f"cannot use {str(folder)!r}: {error.strerror}") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o077:
        problem = f"{str(folder)!r} is not a folder of yours alone (mode 700); remove it"
        raise InputError("--keep-warm", problem)
    return folder


def connections(compatible: str = "") -> Iterator[Connection]:
    """Connect to the warm processes of this user, one after the other.

    Args:
        compatible: only to those whose commands have this digest in common; default: to all.
    """
    for path in sorted(socket_folder().glob(f"{compatible}*{ENDING}")):
        connection = socket.socket(socket.AF_UNIX)
        try:
            with _address(path) as address:
                connection.connect(address)
        except OSError:  # it was killed
            connection.close()
            path.unlink(missing_ok=True)
            continue
        yield Connection(connection)


def listen(compatible: str) -> tuple[socket.socket, Path]:
    """Listen at a socket for compatible commands; return it with its path.

    Raises:
        InputError: the folder cannot be used.
        OSError: a socket cannot be there.
    """
    path = socket_folder() / f"{compatible}-{os.getpid()}{ENDING}"
    hidden = path.with_suffix(".new")  # until it listens: who is refused removes a socket
    listener = socket.socket(socket.AF_UNIX)
    with _address(hidden) as address:
        listener.bind(address)
    listener.listen()
    hidden.rename(path)
    return listener, path


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    """Give a socket's path in at most the hundred characters that an address may have."""
    if not Path("/proc/self/fd").is_dir():  # not Linux
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
