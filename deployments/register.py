"""Make the work pools, the deployments and the automations: `python deployments/register.py`.

Run it again whenever something has changed; nothing is made twice.
"""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deployments.automations import register_automations
from deployments.definitions import PREFECT_FILE, placed, work_pools
from deployments.local import prefect
from deployments.settings import UNASKED
from tasks.provenance import ROOT


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


if __name__ == "__main__":
    register()
