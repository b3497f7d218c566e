"""Make the work pools, the deployments and the automations: `python deployments/register.py`.

Run it again whenever something has changed; nothing is made twice. Runs start in this
project's folder, or in that of a study: `--study FOLDER`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from foldproof.deployments.automations import register_automations
from foldproof.deployments.definitions import PREFECT_FILE, placed, work_pools
from foldproof.deployments.local import prefect, study_folder
from foldproof.deployments.settings import UNASKED
from foldproof.tasks.common.places import ROOT
from foldproof.tasks.prefect_server.server import api_is_configured

DESCRIPTION = "Register pools, deployments and automations with the configured server."


def register(
    pool_type: str = "process", pools: Sequence[str] = (), folder: Path | None = None
) -> None:
    """Register everything with the configured server.

    Args:
        pool_type: what the work pools start runs as, if they are made now.
        pools: those whose deployments are registered; default: all.
        folder: where runs start; default: this project's.

    Raises:
        SystemExit: Prefect refused a deployment, with what it says.
    """
    from prefect import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists

    with get_client(sync_client=True) as client:
        for name in pools or work_pools():
            try:
                client.create_work_pool(WorkPoolCreate(name=name, type=pool_type))
            except ObjectAlreadyExists:
                continue
        register_automations(client)
    with tempfile.TemporaryDirectory(prefix="foldproof-register-") as scratch:
        file = Path(scratch, "prefect.yaml")
        file.write_text(placed(pools, folder), encoding="utf-8")
        _deploy(file if pools or folder else PREFECT_FILE, folder)


def _deploy(file: Path, folder: Path | None) -> None:
    command = prefect("--no-prompt", "deploy", "--all", "--prefect-file", str(file))
    found = [str(folder or ""), os.environ.get("PYTHONPATH", "")]  # builders that forms offer
    path = {"PYTHONPATH": os.pathsep.join(filter(None, found))}
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | UNASKED | (path if folder else {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if ended.returncode:
        raise SystemExit(f"prefect deploy failed\n{ended.stdout}{ended.stderr}")


def main() -> None:
    """Register with the configured server, and say so.

    Raises:
        SystemExit: no server is configured or it does not answer, in one line, code 2; or
            Prefect refused a deployment.
    """
    parser = argparse.ArgumentParser(prog="register.py", description=DESCRIPTION)
    parser.add_argument("--study", type=study_folder, help="the folder that runs start in")
    folder = parser.parse_args().study
    if not api_is_configured():
        remedy = "export PREFECT_API_URL=http://127.0.0.1:4200/api, or where your server is"
        _refuse(f"is not set; {remedy}")
    from prefect.settings import PREFECT_API_URL

    from foldproof.tasks.prefect_server.api_watch import tls_settings, unreachable

    url = str(PREFECT_API_URL.value())
    if problem := unreachable(url, tls_settings(url)):
        _refuse(f"{url} {problem}")
    register(folder=folder)
    pools = ", ".join(work_pools())
    print(f"registered with {url}; next: prefect worker start --pool NAME, for {pools}")


def _refuse(problem: str) -> NoReturn:
    print(f"PREFECT_API_URL: {problem}", file=sys.stderr)
    raise SystemExit(2)


if __name__ == "__main__":
    main()
