"""Run a Prefect server for one run; started as a process of its own, ends with its parent.

The listening socket comes from the parent, so that no port is lost between choosing and
using it.
"""

import os
import socket
import sys
import threading

from foldproof.tasks.common.process import collection


def main(handle: int) -> None:
    """Serve the Prefect API on an inherited socket until standard input closes."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    collection.pause()
    import uvicorn

    from foldproof.tasks.prefect_server.prefect_internals import server_app

    config = uvicorn.Config(server_app(), log_level="error", lifespan="on")
    collection.go_on()
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=handle)])


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
