"""Homes of Prefect's that hold an empty database already: to make one takes a server seconds."""

import contextlib
import fcntl
import functools
import shutil
import sqlite3
import tempfile
from pathlib import Path

import prefect

from foldproof.tasks.prefect_server.home import DATABASE
from foldproof.tasks.prefect_server.server import EmbeddedServer
from tests.support.places import ROOT

CACHE = ROOT / ".pytest_cache"


def made_home(folder: Path) -> str:
    """Make a folder a home of Prefect's, as its first server would leave it."""
    shutil.copytree(_template(), folder, dirs_exist_ok=True)
    return str(folder)


@functools.cache
def _template() -> Path:
    """Return the home that all are copies of, made once for this version of Prefect."""
    kept = CACHE / f"prefect-{prefect.__version__}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{kept.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other worker of xdist may be making it
        if not kept.exists():
            _make(kept)
    return kept


def _make(kept: Path) -> None:
    """Let a server fill a home, and keep of it what the next start would not do again."""
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        home, whole = Path(name, "home"), Path(name, "whole")
        server = EmbeddedServer(Path(name, "log"), home)
        server.wait()
        server.stop()
        shutil.copytree(home, whole, ignore=shutil.ignore_patterns(f"{DATABASE}*"))
        with contextlib.closing(sqlite3.connect(home / DATABASE)) as database:
            database.execute("VACUUM INTO ?", [str(whole / DATABASE)])  # with what is in its log
        whole.rename(kept)
