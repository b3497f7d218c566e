"""Background calls to Prefect's API: sent by a thread, counted when they fail.

A server that is slow or gone costs the folds nothing. What it missed is said at the end.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import Any
from uuid import UUID

LOG = logging.getLogger(__name__)
API_TIMEOUT_S = 5.0  # of one call
FAILURE_PAUSE_S = 30.0  # without calls after one that failed


class ApiCallQueue:
    """Background thread that sends Prefect API calls in order and polls between them."""

    def __init__(self, poll: Callable[[], None], seconds: float) -> None:
        """Start the thread, with the settings and context of this one.

        Args:
            poll: called again and again between calls; its exceptions are only logged.
            seconds: between two polls.
        """
        self.missed, self.reason = 0, ""
        self._poll, self._seconds = poll, seconds
        self._queue: SimpleQueue[Callable[[Any], None] | None] = SimpleQueue()
        self._client: Any = None
        self._clients = contextlib.ExitStack()  # closes it
        self._paused_until = 0.0
        context = copy_context()
        self._thread = threading.Thread(
            target=lambda: context.run(self._work), name="prefect-view", daemon=True
        )
        self._thread.start()

    def enqueue(self, call: Callable[[Any], None]) -> None:
        """Queue a call, which gets Prefect's client when its turn comes."""
        self._queue.put(call)

    def call_now(self, call: Callable[[Any], None]) -> None:
        """Call Prefect's client at once; for use in the queue's own thread only."""
        if time.monotonic() < self._paused_until:
            self.missed += 1
            return
        try:
            call(self._connected())
        except Exception as error:  # whatever a server or a network does, folds go on
            self.missed += 1
            self.reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            self._paused_until = time.monotonic() + FAILURE_PAUSE_S

    def resume(self) -> None:
        """End the pause that follows a failed call."""
        self._paused_until = 0.0

    def end(self, seconds: float) -> None:
        """Send the queued calls and stop; calls not sent in time count as missed."""
        self._queue.put(None)
        self._thread.join(seconds)
        if self._thread.is_alive():
            self.reason = self.reason or f"no answer in {seconds:g} seconds"
            self.missed += max(1, self._queue.qsize() - 1)

    def _work(self) -> None:
        from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

        with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), self._clients:
            while True:
                try:
                    call = self._queue.get(timeout=self._seconds)
                except Empty:
                    try:
                        self._poll()
                    except Exception:  # what is shown is no reason to stop
                        LOG.debug("a look at the folds for Prefect failed", exc_info=True)
                    continue
                if call is None:
                    return
                self.call_now(call)

    def _connected(self) -> Any:
        if self._client is None:
            from prefect.client.orchestration import get_client

            made = get_client(sync_client=True, httpx_settings={"timeout": API_TIMEOUT_S})
            self._client = self._clients.enter_context(made)
        return self._client


class ProgressArtifact:
    """A progress artifact in Prefect, updated with a share from 0 to 1."""

    def __init__(
        self, calls: ApiCallQueue, flow_run: UUID, task_run: UUID | None, key: str | None
    ) -> None:
        """Describe the artifact; it is created with the first share."""
        self._api_calls, self._key = calls, key
        self._runs = {"flow_run_id": flow_run, "task_run_id": task_run}
        self._id: UUID | None = None
        self._shown: tuple[float, str] | None = None

    @property
    def is_shown(self) -> bool:
        """Whether it was made."""
        return self._id is not None

    def show(self, share: float, text: str) -> None:
        """Update the artifact; for use in the queue's own thread only."""
        percent = round(100 * share, 1)
        if (percent, text) != self._shown:
            self._api_calls.call_now(lambda client: self._send(client, percent, text))

    def _send(self, client: Any, percent: float, text: str) -> None:
        from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate

        if self._id is not None:
            client.update_artifact(self._id, ArtifactUpdate(data=percent, description=text))
            self._shown = percent, text
            return
        made = ArtifactCreate(
            type="progress", key=self._key, data=percent, description=text, **self._runs
        )
        self._id = client.create_artifact(made).id
        self._shown = percent, text
