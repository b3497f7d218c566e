"""Tell whether the code runs for a deployment of Prefect's, without importing Prefect.

Private names of Prefect, read from 3.8.8; `test_prefect_internals` fails when one changes.
Those that need Prefect itself are in `prefect_server.prefect_internals`.
"""

import os
import sys
from typing import Any

READ_FROM = "3.8.8"
FLOW_RUN_ID = "PREFECT__FLOW_RUN_ID"  # set by Prefect in the processes of its workers and runners
OF_PREFECT, OF_ITS_SERVER = "PREFECT__", "PREFECT__SERVER"  # what its variables begin with


def is_deployed() -> bool:
    """Tell whether the code runs for a deployment, so that a form may have sent the settings.

    Prefect's variables tell, and so does the run in hand: if either is renamed one day, the
    other still counts.
    """
    names = [name for name in os.environ if name.startswith(OF_PREFECT)]
    if any(not name.startswith(OF_ITS_SERVER) for name in names):
        return True
    context: Any = sys.modules.get("prefect.context")
    if context is None:
        return False
    around = getattr(context, "_deployment_id", None)  # holds for a deployed flow's subflows, too
    run = context.FlowRunContext.get()
    of_run = None if run is None else getattr(run.flow_run, "deployment_id", "unknown")
    return of_run is not None or (around is not None and around.get() is not None)
