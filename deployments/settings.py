"""The settings that a server and its workers need, wherever they are started.

`compose.yaml` and the Kubernetes template spell the same values out; a test compares them.
"""

from foldproof.tasks.prefect_server.server import BATCHED

# Nothing leaves the machine, old runs are removed, many short tasks are written in batches.
SERVER = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": "P7D",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": "P90D",
    **BATCHED,
}

# Prefect's commands ask on a terminal, and rewrite the person's profiles after the answer.
UNASKED = {"PREFECT_CLI_PROMPT": "false"}

HEARTBEAT = 30  # seconds between two signs of life of a run; Prefect allows no less
# What runs may import, and how they live through a server that is away for some minutes.
RUN = {
    "DO_NOT_TRACK": "1",
    "FOLDPROOF_ALLOWED_BUILDERS": "tasks.models,sklearn",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT),
    "PREFECT_CLIENT_MAX_RETRIES": "7",  # after 2, 4, ... 128 seconds: four minutes in all
    "PREFECT_CLIENT_RETRY_EXTRA_CODES": "500,504",
}
WORKER = {"PREFECT_WORKER_QUERY_SECONDS": "3", **RUN}  # between two looks for new runs
