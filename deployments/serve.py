"""Serve every deployment from this one process: `python deployments/serve.py`.

Where no Prefect API is configured, a server with its UI is started as well. Runs start in
the folder that this is called in; Ctrl-C ends all of it.
"""

import os
import signal
from contextlib import nullcontext
from types import FrameType
from typing import NoReturn

from foldproof.deployments.local import local_server
from foldproof.deployments.settings import WORKER
from foldproof.tasks.prefect_server.server import api_is_configured


def main() -> None:
    """Serve until Ctrl-C."""
    signal.signal(signal.SIGINT, _stop)
    os.environ.update({name: os.environ.get(name, value) for name, value in WORKER.items()})
    with nullcontext() if api_is_configured() else local_server():
        from prefect import serve

        from foldproof.deployments.definitions import definitions

        serve(*(each.served() for each in definitions()))


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """Exit at the first Ctrl-C: asyncio's handler cancels a task, which may ignore it."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
