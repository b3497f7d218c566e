"""Choose Prefect's home folder: the configured one, or a temporary one if it is read-only."""

import contextlib
import os
from pathlib import Path

DATABASE = "prefect.db"


def prefect_home() -> Path:
    """Return the folder that Prefect takes for its home, which need not be there."""
    named = os.environ.get("PREFECT_HOME") or "~/.prefect"
    return Path(os.path.expanduser(named))  # noqa: PTH111  # never raises where nobody has a home


def usable_home(spare: Path) -> Path:
    """Return Prefect's home, or the spare folder where Prefect could not write its database.

    Containers often run with a home that is not there or belongs to somebody else.
    """
    home = prefect_home()
    with contextlib.suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
    database = home / DATABASE
    writable = os.access(home, os.W_OK | os.X_OK)
    return home if writable and (not database.exists() or os.access(database, os.W_OK)) else spare


def cannot_be_written(home: Path) -> str:
    """Return the line that says what became of a run without a usable home of Prefect's."""
    return (
        f"PREFECT_HOME: {str(home)!r} cannot be written to; Prefect's records of this run end "
        "with it; set PREFECT_HOME to a folder of yours to keep them"
    )
