"""Make the work pools, the deployments and the automations: `python deployments/register.py`.

Run it again whenever something has changed; nothing is made twice.
"""

import subprocess

from deployments.automations import register_automations
from deployments.definitions import PREFECT_FILE, work_pools
from deployments.local import prefect
from tasks.provenance import ROOT


def register(pool_type: str = "process") -> None:
    """Register everything with the configured server.

    Args:
        pool_type: what the work pools start runs as, if they are made now.

    Raises:
        SystemExit: Prefect refused a deployment, with what it says.
    """
    from prefect import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists

    with get_client(sync_client=True) as client:
        for name in work_pools():
            try:
                client.create_work_pool(WorkPoolCreate(name=name, type=pool_type))
            except ObjectAlreadyExists:
                continue
        register_automations(client)
    _deploy()


def _deploy() -> None:
    command = prefect("--no-prompt", "deploy", "--all", "--prefect-file", str(PREFECT_FILE))
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if ended.returncode:
        raise SystemExit(f"prefect deploy failed\n{ended.stdout}{ended.stderr}")


if __name__ == "__main__":
    register()
