"""Bring up everything to look at: `python deployments/ui.py [PORT]`; Ctrl-C takes it down.

A server with its database in Prefect's home folder, the work pools, a worker for the
processor's pool, and all deployments.
"""

import signal
import sys
from types import FrameType
from typing import NoReturn

from deployments.local import PORT, adopt_orphans, end_children, local_server, local_worker
from deployments.register import register


def main(port: int) -> None:
    """Run until Ctrl-C or SIGTERM; nothing is left then."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        with local_server(port) as address:
            register()
            with local_worker("cv-cpu"):
                print(f"ready: {address}  (Ctrl-C takes all of it down)", flush=True)
                signal.pause()
    except KeyboardInterrupt:
        print("stopped", flush=True)
    finally:
        end_children()


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)
    adopt_orphans()  # what the worker may leave behind from now on
    raise KeyboardInterrupt


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PORT)
