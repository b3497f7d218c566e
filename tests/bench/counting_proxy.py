"""A TCP proxy that counts what goes through it: bytes both ways, and HTTP requests by path."""

import contextlib
import re
import socket
import threading
from collections import Counter

LOOP = "127.0.0.1"
REQUEST = re.compile(rb"(?:GET|POST|PATCH|PUT|DELETE) (/[^ ?]*)[^\r\n]* HTTP/1")
NUMBER = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
CHUNK = 1 << 16


class CountingProxy:
    """A proxy on a port of its own; `sent` and `received` are as the client sees it, in bytes."""

    def __init__(self, target: str) -> None:
        """Start it before `host:port`."""
        host, _, port = target.rpartition(":")
        self._target = host, int(port)
        self.sent = self.received = 0
        self.requests: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._listener = socket.create_server((LOOP, 0))
        self.address = f"{LOOP}:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                for source, sink, sends in ((client, server, True), (server, client, False)):
                    arguments = (source, sink, sends)
                    threading.Thread(target=self._pump, args=arguments, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, sends: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                self._count(data, sends)
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _count(self, data: bytes, sends: bool) -> None:
        with self._lock:
            if not sends:
                self.received += len(data)
                return
            self.sent += len(data)
            for path in REQUEST.findall(data):
                self.requests[NUMBER.sub("ID", path.decode())] += 1
