"""Which commands one warm process may run: those that have all of this in common.

All that a process is given when it starts, or that its libraries read once: version and code,
environment variables, limits, whether it writes to a terminal, and Prefect's settings.
"""

import hashlib
import json
import os
import resource
from pathlib import Path
from typing import Any

from foldproof.tasks.common.process.code_state import code_state, file_state
from foldproof.tasks.common.process.kept import environment

OF_PREFECT = (".env", "prefect.toml", "pyproject.toml")  # that it reads in the working directory
LIMITS = [name for name in dir(resource) if name.startswith("RLIMIT_")]
CHARS = 12  # of a digest in the name of a socket


def compatibility_digest() -> str:
    """Return a short digest, the same for all commands that one process may run."""
    state = [*code_state(), *_environment(), *_prefect()]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:CHARS]


def _environment() -> list[Any]:
    limits = [resource.getrlimit(getattr(resource, name)) for name in LIMITS]
    umask = os.umask(0o077)
    os.umask(umask)
    terminals = [_is_terminal(handle) for handle in range(3)]
    groups = sorted(os.getgroups())
    return [environment(), limits, umask, terminals, os.getgid(), groups, os.nice(0), _processors()]


def _processors() -> list[int]:
    known = getattr(os, "sched_getaffinity", None)  # Linux alone has it
    return sorted(known(0)) if known else []


def _is_terminal(handle: int) -> bool:
    try:
        return os.isatty(handle)
    except OSError:
        return False


def _prefect() -> list[Any]:
    """Return the state of its profiles, and the folder where it would read more settings."""
    home = os.environ.get("PREFECT_HOME") or "~/.prefect"
    profiles = os.environ.get("PREFECT_PROFILES_PATH") or f"{home}/profiles.toml"
    reads = any(Path(name).exists() for name in OF_PREFECT)
    return [file_state(Path(os.path.expanduser(profiles))), os.getcwd() if reads else ""]  # noqa: PTH111
