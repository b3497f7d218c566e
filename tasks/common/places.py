"""Where foldproof itself lies, and how child processes find it."""

import os
from importlib import metadata
from pathlib import Path

PACKAGE = "foldproof"
FOLDERS = ("tasks", "flows", "deployments")  # of its code
ROOT = Path(__file__).resolve().parents[2]  # holds these, in a checkout and when installed


def python_path() -> str:
    """Return PYTHONPATH for a child process that imports foldproof, installed or not."""
    installed = any(metadata.distributions(name=PACKAGE))
    own = [] if installed else [str(ROOT)]  # where a `flows` without __init__.py would lose to ours
    return os.pathsep.join([*own, *filter(None, [os.getenv("PYTHONPATH")])])


def is_own_code(path: str) -> bool:
    """Tell whether a source file, as a traceback names it, is foldproof's."""
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(ROOT / folder) for folder in FOLDERS)
