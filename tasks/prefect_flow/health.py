"""Waiting for a Prefect server of this machine, past any proxy."""

import contextlib
import subprocess
import time
import urllib.error
import urllib.request

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PAUSE = 0.05  # seconds between two tries
CALL = 5.0  # seconds that an answer may take


def answers_in_time(server: "subprocess.Popen[bytes]", api: str, seconds: float) -> bool:
    """Wait until a server answers; False where it ended, or did not answer in time.

    Args:
        server: its process.
        api: the address, which ends in /api.
        seconds: to wait at most.
    """
    deadline = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < deadline:
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            DIRECT.open(f"{api}/health", timeout=CALL),
        ):
            return True
        time.sleep(PAUSE)
    return False
