"""Bring up everything to look at: `foldproof ui`, or `python deployments/ui.py`.

A server with its database in Prefect's home folder, and, for each device of this machine, a
work pool, a worker and its deployments, until Ctrl-C. With a study's folder, runs start there
and may use its data and its builders, which the forms offer.
"""

import argparse
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

from foldproof.deployments.definitions import work_pools
from foldproof.deployments.local import (
    PORT,
    adopt_orphans,
    end_children,
    local_server,
    local_worker,
    study_folder,
)
from foldproof.deployments.register import register
from foldproof.deployments.settings import RUN
from foldproof.tasks.machine.devices import has_cuda, visible_gpus
from foldproof.tasks.run.allowlist import BUILDERS, PATHS
from foldproof.tasks.run.views.status_line import line


def main(port: int, study: Path | None) -> None:
    """Run server, worker and deployments until Ctrl-C or SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    if study is not None:
        allow(study)
    pools = [pool for pool in work_pools() if _has_device(pool)]
    try:
        with ExitStack() as running:
            print("starting a Prefect server, some workers ...", flush=True)
            address = running.enter_context(local_server(port))
            register(pools=pools, folder=study)
            for pool in pools:
                running.enter_context(local_worker(pool))
            print("in another terminal, so that its runs show here, too:")
            print(f"  export PREFECT_API_URL={address}/api")
            print(f"ready: {address}  (Ctrl-C takes all of it down)", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("stopped", flush=True)
    finally:
        end_children()


def allow(study: Path) -> None:
    """Add a study's modules and folder to the allowlist of runs."""
    modules = [os.environ.get(BUILDERS, RUN[BUILDERS]), *modules_in(study)]
    folders = [os.environ.get(PATHS, ""), str(study)]
    os.environ[BUILDERS] = ",".join(modules)
    os.environ[PATHS] = ",".join(filter(None, folders))


def modules_in(study: Path) -> Iterator[str]:
    """Yield the names of the modules and packages that stand in a folder."""
    for path in sorted(study.iterdir()):
        is_module = path.suffix == ".py" or (path / "__init__.py").exists()
        if is_module and path.stem.isidentifier() and not path.stem.startswith("_"):
            yield path.stem


def _has_device(pool: str) -> bool:
    return not pool.endswith("-gpu") or (has_cuda() and bool(visible_gpus()))


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)
    adopt_orphans()  # what the worker may leave behind from now on
    raise KeyboardInterrupt


def bring_up(arguments: Sequence[str]) -> int:
    """Do what `foldproof ui` asks for: runs start in the folder of the call, or in another one."""
    usage = "foldproof ui [PORT] [--study FOLDER]"
    asked = _parser(usage, "the folder that runs start in; default: here").parse_args(arguments)
    line.clear()
    main(asked.port, asked.study or Path.cwd())
    return 0


def _parser(usage: str, study: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(usage=usage, description="Prefect's pages, with a worker.")
    parser.add_argument("port", nargs="?", type=int, default=PORT, help="default: %(default)s")
    parser.add_argument("--study", type=study_folder, help=study)
    return parser


if __name__ == "__main__":
    in_make = "make ui [PORT=4300] [STUDY=FOLDER]"
    asked = _parser(in_make, "the folder that runs start in").parse_args()
    main(asked.port, asked.study)
