"""What the server does by itself: note runs whose process died, and tell somebody of failures."""

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from foldproof.deployments.settings import HEARTBEAT

if TYPE_CHECKING:
    from prefect.events.schemas.automations import AutomationCore

ADDRESS = "FOLDPROOF_WEBHOOK"  # an environment variable: where failures are told, if anywhere
SILENCE = 4 * HEARTBEAT  # seconds without a sign of life after which a run counts as dead
OVER = {f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")}
LOST, TOLD = "foldproof: runs whose process died", "foldproof: tell of failed runs"


def lost_runs() -> "AutomationCore":
    """Return the automation that sets a run to Crashed when its heartbeats stop."""
    from prefect.client.schemas.objects import StateType
    from prefect.events.actions import ChangeFlowRunState
    from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

    silence = EventTrigger(
        after={"prefect.flow-run.heartbeat"},
        expect={"prefect.flow-run.heartbeat", *OVER},
        match={"prefect.resource.id": ["prefect.flow-run.*"]},
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=timedelta(seconds=SILENCE),
    )
    message = (
        f"No sign of life for {SILENCE} seconds. Finished folds are stored; Retry reuses them."
    )
    crashed = ChangeFlowRunState(state=StateType.CRASHED, name="Crashed", message=message)
    return AutomationCore(
        name=LOST,
        description="A run whose machine or worker is gone shows as Crashed, not as Running.",
        trigger=silence,
        actions=[crashed],
    )


def told_failures(webhook: Any) -> "AutomationCore":
    """Return the automation that calls a webhook when a run fails or crashes.

    Args:
        webhook: the id of a saved `Webhook` block.
    """
    from prefect.events.actions import CallWebhook
    from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

    failure = EventTrigger(
        expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed"},
        match={"prefect.resource.id": ["prefect.flow-run.*"]},
        posture=Posture.Reactive,
        threshold=1,
        within=timedelta(0),
    )
    text = "{{ flow.name }}/{{ flow_run.name }}: {{ flow_run.state.name }}"
    call = CallWebhook(block_document_id=webhook, payload='{"text": "' + text + '"}')
    return AutomationCore(
        name=TOLD,
        description="An example of a notification; the payload suits Slack and its kin.",
        trigger=failure,
        actions=[call],
    )


def register_automations(client: Any) -> None:
    """Make the automations, or bring those of their names up to date.

    Args:
        client: a synchronous Prefect client.
    """
    wanted = [lost_runs()]
    address = os.environ.get(ADDRESS)
    if address:
        from prefect.blocks.webhook import Webhook

        webhook = Webhook(url=address).save("foldproof", overwrite=True)
        wanted.append(told_failures(webhook))
    for automation in wanted:
        known = client.read_automations_by_name(automation.name)
        if known:
            client.update_automation(known[0].id, automation)
        else:
            client.create_automation(automation)
