"""The Prefect API of a run: the configured one, or an embedded server that ends with the run."""

from foldproof.tasks.prefect_flow.home import cannot_be_written, prefect_home, usable_home
from foldproof.tasks.prefect_flow.server import EmbeddedServer, api_is_configured
from foldproof.tasks.run.session import Run


class Api:
    """What a run that is a Prefect flow needs beside its workers.

    Attributes:
        server: the embedded server, once it is started and unless an API is configured.
    """

    def __init__(self) -> None:
        self.server: EmbeddedServer | None = None

    def start(self, run: Run) -> None:
        """Start an embedded Prefect server unless there is one or an API is configured."""
        if self.server is not None or api_is_configured():
            return
        home = usable_home(run.scratch / "prefect")
        if home != prefect_home():
            run.display.say(cannot_be_written(prefect_home()))
        self.server = EmbeddedServer(run.log, home)

    def stop(self) -> None:
        """End the embedded server."""
        if self.server is not None:
            self.server.stop()
            self.server = None

    def is_private(self) -> bool:
        """Tell whether the API is one that nobody but the run can look at."""
        return self.server is not None
