"""The Prefect API of a run: the configured one, or an embedded server that ends with the run."""

from collections.abc import Callable
from pathlib import Path

from foldproof.tasks.common.process.kept import environment, keep, take
from foldproof.tasks.prefect_server.home import cannot_be_written, prefect_home, usable_home
from foldproof.tasks.prefect_server.server import EmbeddedServer, api_is_configured


class Api:
    """The Prefect API as the `Service` of a run.

    Attributes:
        server: the embedded server, once it is started and unless an API is configured.
    """

    def __init__(self, keep: bool = False) -> None:
        """Describe it; nothing is started yet.

        Args:
            keep: use an embedded server that an earlier call in this process left, and leave
                it to the next.
        """
        self.server: EmbeddedServer | None = None
        self._keep, self._key = keep, ("Prefect server", environment())

    @property
    def is_kept(self) -> bool:
        """Whether the embedded server stays when the run has ended."""
        return self._keep and self.server is not None

    def start(self, scratch: Path, log: Path | None, say: Callable[[str], None]) -> None:
        """Start an embedded Prefect server unless there is one or an API is configured.

        Args:
            scratch: a folder that ends with the run.
            log: the file for what it prints, or None for the terminal.
            say: shows a line to the user.
        """
        if self.server is not None or api_is_configured():
            return
        found: EmbeddedServer | None = take(self._key) if self._keep else None
        if found is not None and found.is_running():
            self.server = found
            return
        home = usable_home(scratch / "prefect")
        if home != prefect_home():
            say(cannot_be_written(prefect_home()))
            self._keep = False  # its home ends with the run
        self.server = EmbeddedServer(log, home)

    def stop(self) -> None:
        """End the embedded server."""
        if self.server is not None:
            self.server.stop()
            self.server = None

    def release(self) -> None:
        """Keep the embedded server for the next call in this process, or stop it."""
        if self._keep and self.server is not None:
            keep(self._key, self.server, self.server.settle_and_stop)
            self.server = None
        self.stop()

    def is_private(self) -> bool:
        """Return whether the API is the embedded server, which serves this run alone."""
        return self.server is not None
