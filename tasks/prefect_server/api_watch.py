"""Detect an outage of the Prefect API: folds go on, and the run ends with its report."""

import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

from foldproof.tasks.common.errors import InputError
from foldproof.tasks.prefect_server.prefect_internals import drop_unsent, stop_retrying

POLL_INTERVAL_S = 2.0  # between two health checks
FAILURES_UNTIL_GONE = 3  # health checks in a row
TASK_RUNS_A_PAGE = 200  # of an answer of the API
RETURN_TIMEOUT_S = 20.0  # that a finished run waits for the API to come back


class ApiWatch:
    """Health checks of the Prefect API in a background thread, for as long as a run lasts."""

    def __init__(self, url: str, tls: ssl.SSLContext | None = None) -> None:
        """Start the checks of an API that has answered before.

        Args:
            url: its address, which ends in /api.
            tls: whose certificates are trusted.
        """
        self._url, self._tls = url, tls
        self._over = threading.Event()
        self._misses = 0
        self.was_gone = False
        threading.Thread(target=self._watch, name="api-watch", daemon=True).start()

    def is_gone(self) -> bool:
        """Return whether the API is down, after further checks if the last one failed."""
        while 0 < self._misses < FAILURES_UNTIL_GONE:
            self._look()
        return self._misses >= FAILURES_UNTIL_GONE

    def comes_back(self) -> bool:
        """Wait up to a timeout for the API to come back, and return whether it did."""
        deadline = time.monotonic() + RETURN_TIMEOUT_S
        while self.is_gone() and time.monotonic() < deadline:
            time.sleep(0.2)
            self._look()
        return not self.is_gone()

    def stop(self) -> None:
        """Stop the checks."""
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(POLL_INTERVAL_S):
            self._look()

    def _look(self) -> None:
        self._misses = 0 if answers(self._url, self._tls) else self._misses + 1
        self.was_gone |= self._misses >= FAILURES_UNTIL_GONE


def answers(url: str, tls: ssl.SSLContext | None = None) -> bool:
    """Return whether a Prefect API answers at all, with an error or without."""
    return not unreachable(url, tls)


def unreachable(url: str, tls: ssl.SSLContext | None = None) -> str:
    """Return why a Prefect API cannot be reached, with the remedy; empty if it answers.

    Args:
        url: its address, which ends in /api.
        tls: whose certificates are trusted.
    """
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5, context=tls):  # noqa: S310 (the user's own)
            return ""
    except urllib.error.HTTPError:
        return ""
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        why = f"has a certificate that is not trusted ({reason.verify_message.rstrip('.')})"
        return f"{why}; name the file of its CA in PREFECT_API_SSL_CERT_FILE"
    return "does not answer; start that server, or unset it to run without one"


def tls_settings(url: str) -> ssl.SSLContext | None:
    """Return the TLS settings of Prefect's client for an https address.

    Raises:
        InputError: the file of certificates cannot be read.
    """
    import certifi
    from prefect.settings import get_current_settings

    api = get_current_settings().api
    if not url.startswith("https:"):
        return None
    if api.tls_insecure_skip_verify:
        tls = ssl.create_default_context()
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        return tls
    try:
        return ssl.create_default_context(cafile=api.ssl_cert_file or certifi.where())
    except OSError as error:  # ssl.SSLError is one, too
        file = f"{api.ssl_cert_file!r} holds no certificates that can be read"
        problem = f"{file} ({error.strerror or error}); name a file in PEM format"
        raise InputError("PREFECT_API_SSL_CERT_FILE", problem) from None


def disable_api_retries() -> None:
    """Disable the retries of Prefect's client, and drop its unsent events.

    It would go on for minutes: one after the other, its retries of the last state, the
    retries for the failure to set that, and each event and log line still in a queue.
    """
    stop_retrying()
    drop_unsent()


def is_outage(error: BaseException) -> bool:
    """Return whether an error of Prefect's client means that the API is down."""
    import httpx
    from prefect.exceptions import PrefectHTTPStatusError

    return isinstance(error, httpx.TransportError | PrefectHTTPStatusError)


def outage_notice(watch: ApiWatch, unseen: Callable[[], int | None]) -> str:
    """Return a notice about an outage, or an empty text.

    Args:
        watch: has seen the run.
        unseen: counts the tasks whose end Prefect does not know; None if it cannot be asked.
    """
    if not watch.was_gone:
        return ""
    if watch.is_gone():
        return (
            "the Prefect server stopped answering: there this run stays as it was then; "
            "the report is complete"
        )
    count = unseen()
    tasks = "some tasks" if count is None else f"{count} tasks"
    text = "the Prefect server did not answer for a while"
    return f"{text}: it missed the end of {tasks}" if count != 0 else f"{text} and missed nothing"


def count_unseen(task_counts: Mapping[str, int]) -> int | None:
    """Return how many task runs have no final state in Prefect; None if unknown.

    Args:
        task_counts: how many there are, by the id of their flow run.
    """
    ended = {flow_run: _count_ended(flow_run) for flow_run in task_counts}
    if (
        any(count is None for count in ended.values())
        or max(task_counts.values(), default=0) > TASK_RUNS_A_PAGE
    ):
        return None
    return sum(max(0, tasks - (ended[run] or 0)) for run, tasks in task_counts.items())


def _count_ended(flow_run: str) -> int | None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter, TaskRunFilter

    from foldproof.tasks.prefect_server.server import FINAL_STATES

    try:
        with get_client(sync_client=True) as client:
            ended = client.read_task_runs(
                flow_run_filter=FlowRunFilter.model_validate({"id": {"any_": [flow_run]}}),
                task_run_filter=TaskRunFilter.model_validate(
                    {"state": {"type": {"any_": list(FINAL_STATES)}}}
                ),
                limit=TASK_RUNS_A_PAGE,
            )
    except Exception:  # whatever it is, it is about a look at the server
        return None
    return len(ended)
