"""A warm process for the commands of one test session, where they do not test how they start."""

import functools
import os
import shutil
import subprocess
import sys
import tempfile

IDLE = "10m"


@functools.cache
def sockets() -> str:
    """Return the folder of this session's sockets, so that no other's processes are used."""
    return tempfile.mkdtemp(prefix="warm-")


def warm_variables() -> dict[str, str]:
    """Return what makes a command use a warm process, or leave one to the next."""
    return {"FOLDPROOF_KEEP_WARM": IDLE, "XDG_RUNTIME_DIR": sockets()}


def stop_warm() -> None:
    """End the session's warm processes, if there are any."""
    if sockets.cache_info().currsize:
        command = [sys.executable, "-m", "foldproof", "stop"]
        subprocess.run(command, env=os.environ | warm_variables(), capture_output=True, timeout=60)
        shutil.rmtree(sockets(), ignore_errors=True)
