"""Calls of Prefect's API that nobody waits for: made in a thread, counted when they fail.

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
CALL = 5.0  # seconds that a call may take
REST = 30.0  # seconds without a call after one that failed


class Caller:
    """A thread that makes calls, one after another, and does something between them."""

    def __init__(self, between: Callable[[], None], seconds: float) -> None:
        """Start the thread, in the caller's settings.

        Args:
            between: called over and over; what it raises is swallowed.
            seconds: between two of these.
        """
        self.missed, self.reason = 0, ""
        self._between, self._seconds = between, seconds
        self._queue: SimpleQueue[Callable[[Any], None] | None] = SimpleQueue()
        self._client: Any = None
        self._clients = contextlib.ExitStack()  # closes it
        self._rest_until = 0.0
        context = copy_context()
        self._thread = threading.Thread(
            target=lambda: context.run(self._work), name="prefect-view", daemon=True
        )
        self._thread.start()

    def later(self, call: Callable[[Any], None]) -> None:
        """Make a call with Prefect's client, when its turn comes."""
        self._queue.put(call)

    def now(self, call: Callable[[Any], None]) -> None:
        """Make a call with Prefect's client; for use between calls, in the thread."""
        if time.monotonic() < self._rest_until:
            self.missed += 1
            return
        try:
            call(self._connected())
        except Exception as error:  # whatever a server or a network does, folds go on
            self.missed += 1
            self.reason = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            self._rest_until = time.monotonic() + REST

    def try_again(self) -> None:
        """Call again, even if a call failed a moment ago."""
        self._rest_until = 0.0

    def end(self, seconds: float) -> None:
        """Make the calls that are left, and stop; what is not made in time is missed."""
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
                        self._between()
                    except Exception:  # what is shown is no reason to stop
                        LOG.debug("a look at the folds for Prefect failed", exc_info=True)
                    continue
                if call is None:
                    return
                self.now(call)

    def _connected(self) -> Any:
        if self._client is None:
            from prefect.client.orchestration import get_client

            made = get_client(sync_client=True, httpx_settings={"timeout": CALL})
            self._client = self._clients.enter_context(made)
        return self._client


class Progress:
    """A progress artifact that follows a share from 0 to 1."""

    def __init__(
        self, caller: Caller, flow_run: UUID, task_run: UUID | None, key: str | None
    ) -> None:
        """Describe it; it is made with the first share."""
        self._caller, self._key = caller, key
        self._runs = {"flow_run_id": flow_run, "task_run_id": task_run}
        self._id: UUID | None = None
        self._shown: tuple[float, str] | None = None

    @property
    def is_shown(self) -> bool:
        """Whether it was made."""
        return self._id is not None

    def show(self, share: float, text: str) -> None:
        """Bring it up to date, in the caller's thread."""
        percent = round(100 * share, 1)
        if (percent, text) != self._shown:
            self._caller.now(lambda client: self._send(client, percent, text))

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
