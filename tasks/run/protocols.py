"""Protocols of a run's view, service and launcher, which packages above implement."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from foldproof.tasks.folds.job import FoldJob, FoldRecord

if TYPE_CHECKING:
    from foldproof.tasks.evaluation.tables import Tables


class WatchedSlot(Protocol):
    """The parts of a slot that a progress display reads."""

    name: str
    progress_path: Path


class RunView(Protocol):
    """A live view of a run, such as the Prefect UI."""

    def follow(self, job: FoldJob, progress: Path, train: Callable[[], FoldRecord]) -> FoldRecord:
        """Train a fold and show its output and progress.

        Args:
            job: the fold.
            progress: the file of its slot's progress.
            train: trains it.
        """
        ...

    def publish(self, tables: "Tables", report: Path, notices: Sequence[str]) -> None:
        """Show the finished run."""
        ...


class Service(Protocol):
    """A background service of a run, such as a Prefect server: started early, stopped last."""

    def start(self, scratch: Path, log: Path | None, say: Callable[[str], None]) -> None:
        """Start it in the background, unless it runs already.

        Args:
            scratch: a folder that ends with the run.
            log: the file for what it prints, or None for the terminal.
            say: shows a line to the user.
        """
        ...

    def stop(self) -> None:
        """End it."""
        ...

    def release(self) -> None:
        """Keep it for the next call in this process where that is wanted; else stop it."""
        ...

    def is_private(self) -> bool:
        """Return whether it serves this run alone."""
        ...


class Screen(Protocol):
    """Where progress and messages are shown."""

    verbose: bool

    def status(self, text: str) -> None:
        """Show the current step."""
        ...

    def stop(self) -> None:
        """Remove the live display."""
        ...


class Launchable(Protocol):
    """What is launched as one flow: a cross-validation, or a comparison of several.

    Attributes:
        on_stop: called when it is stopped before its end.
        on_end: called when its flow has ended.
        service: what it needs beside its workers.
    """

    on_stop: Callable[[], None]
    on_end: Callable[[], None]
    service: Service | None

    @property
    def keeps(self) -> bool:
        """Whether what took seconds to start is left to the next call in this process."""
        ...

    @property
    def display(self) -> Screen:
        """Where progress is shown."""
        ...

    @property
    def records(self) -> Mapping[str, FoldRecord]:
        """The records of finished and failed folds so far, by key."""
        ...

    @property
    def result(self) -> Any:
        """The result, once the report is written."""
        ...

    def begin(self) -> None:
        """Validate the settings, then start the processes that take seconds to start.

        Raises:
            InputError: the first thing that is wrong.
        """
        ...

    def start_service(self) -> None:
        """Start the background service, if its type is known by now."""
        ...

    def close(self) -> None:
        """End all processes and remove all folders of its own."""
        ...
