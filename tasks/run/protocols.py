"""Protocols of a run's view, service and launcher, which packages above implement."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from foldproof.tasks.folds.job import FoldJob, FoldRecord

if TYPE_CHECKING:
    from foldproof.tasks.evaluation.tables import Tables


class WatchedSlot(Protocol):
    """A slot as progress displays look at it."""

    name: str
    progress_path: Path


class RunView(Protocol):
    """What shows a run to people while it lasts, such as the Prefect UI."""

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
        """Leave it to the next call in this process, where it is kept; else end it."""
        ...

    def is_private(self) -> bool:
        """Tell whether nothing but this run can look at it."""
        ...


class Screen(Protocol):
    """Where progress and messages are shown."""

    verbose: bool

    def status(self, text: str) -> None:
        """Say what is being done now."""
        ...

    def stop(self) -> None:
        """Take everything away that does not stay."""
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
    def display(self) -> Screen:
        """Where progress is shown."""
        ...

    @property
    def records(self) -> Mapping[str, FoldRecord]:
        """What became of each fold so far, by key."""
        ...

    @property
    def result(self) -> Any:
        """What it came to, once the report is there."""
        ...

    def begin(self) -> None:
        """Refuse wrong settings, then start what takes long to start.

        Raises:
            InputError: the first thing that is wrong.
        """
        ...

    def start_service(self) -> None:
        """Start what it needs beside its workers, if that is known by now."""
        ...

    def close(self) -> None:
        """End all processes and remove all folders of its own."""
        ...
