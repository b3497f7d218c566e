"""Processes with process numbers of their own, as in another container."""

import subprocess

OTHER_PIDS = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]


def can_unshare() -> bool:
    """Tell whether this user may start such processes."""
    try:
        return subprocess.run([*OTHER_PIDS, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False
