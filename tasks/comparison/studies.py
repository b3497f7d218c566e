"""The runs of a comparison, which are checked together and share data and workers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from foldproof.tasks.common.errors import InputError, said_of
from foldproof.tasks.comparison.consistency import (
    refuse_different_folds,
    refuse_different_settings,
    refuse_duplicate_models,
    refuse_other_data,
)
from foldproof.tasks.comparison.result import ComparisonResult
from foldproof.tasks.config.study import Study, parse_study
from foldproof.tasks.data.dataset import Dataset
from foldproof.tasks.data.sources.read import check_source
from foldproof.tasks.folds.job import FoldRecord
from foldproof.tasks.folds.split.plan import FoldPlan
from foldproof.tasks.prefect_ui.form import from_form
from foldproof.tasks.run.allowlist import check_trust
from foldproof.tasks.run.preflight import refuse_elsewhere
from foldproof.tasks.run.protocols import Service
from foldproof.tasks.run.session import Run
from foldproof.tasks.run.views.progress_view import Display, Verbosity

_current: ContextVar["Comparison | None"] = ContextVar("foldproof_comparison", default=None)


class Comparison:
    """A comparison: several cross-validations on the same folds, one after another.

    Attributes:
        names: what each is called in messages, such as its file.
        runs: in that order.
        verbosity: how much to show.
        result: what it came to, once the report is there.
    """

    def __init__(
        self,
        studies: Sequence[Study],
        names: Sequence[str] = (),
        verbosity: Verbosity = "normal",
        refresh: bool = False,
        prints_result: bool = False,
        keep: bool = False,
    ) -> None:
        """Create a comparison; nothing is checked or started yet.

        Args:
            studies: the settings of each run, two or more.
            names: what each is called in messages; default: study 1, study 2, ...
            verbosity: how much to show.
            refresh: train anew what is stored already.
            prints_result: the result is printed in the end, which names the positive label.
            keep: leave what took seconds to start to the next call or command in this process.
        """
        self.names = tuple(names) or tuple(f"study {i + 1}" for i in range(len(studies)))
        self.verbosity = verbosity
        self.result: ComparisonResult | None = None
        self.runs = tuple(
            Run(study, Display(verbosity, prints_result), refresh, keep=keep) for study in studies
        )
        self._on_end: Callable[[], None] = lambda: None

    @property
    def studies(self) -> list[Study]:
        """The settings of each run."""
        return [run.study for run in self.runs]

    @property
    def display(self) -> Display:
        """The display for messages about the whole comparison."""
        return self.runs[0].display

    @property
    def records(self) -> dict[str, FoldRecord]:
        """The records of all folds so far, by key."""
        return {key: record for run in self.runs for key, record in run.records.items()}

    @property
    def keeps(self) -> bool:
        """Whether what took seconds to start is left to the next call in this process."""
        return self.runs[0].keeps

    @property
    def on_stop(self) -> Callable[[], None]:
        """The hook that is called when a run is stopped early."""
        return self.runs[0].on_stop

    @on_stop.setter
    def on_stop(self, call: Callable[[], None]) -> None:
        for run in self.runs:
            run.on_stop = call

    @property
    def on_end(self) -> Callable[[], None]:
        """The hook that is called after the last run's flow, and after the comparison's."""
        return self._on_end

    @on_end.setter
    def on_end(self, call: Callable[[], None]) -> None:
        self._on_end = self.runs[-1].on_end = call

    def begin(self) -> None:
        """Validate the settings, then start the processes that take seconds to start.

        Raises:
            InputError: the first thing that is wrong.
        """
        if len(self.runs) < 2:
            raise InputError("studies", "one alone cannot be compared; give two or more")
        self._each(_look_at)
        refuse_different_settings(self.runs, self.names)
        for number, run in enumerate(self.runs[1:], 1):
            run.share_processes(self.runs[0], self._worker_owner(number))
        self._each(lambda run: run.begin())

    def check(self) -> None:
        """Run all steps that come before the first fold: they find all wrong input.

        Raises:
            InputError: the first thing that is.
        """
        self.load_data()
        self.split_rows()
        self.check_models()

    def load_data(self) -> list[Dataset]:
        """Read each data set once, and refuse to compare models on different ones.

        Raises:
            InputError: the first thing that is wrong.
        """
        self._each(self._read)
        refuse_other_data(self.runs, self.names)
        self._each(lambda run: run.load_data())
        return [run.dataset for run in self.runs]

    def split_rows(self) -> list[FoldPlan]:
        """Divide the rows, and refuse to compare models on different folds.

        Raises:
            InputError: the first thing that is wrong.
        """
        self._each(self._divide)
        refuse_different_folds(self.runs, self.names)
        self._each(lambda run: run.split_rows())
        return [run.plan for run in self.runs]

    def check_models(self) -> None:
        """Try every model before the first one trains, and refuse the same one twice.

        Raises:
            InputError: the first thing that is wrong.
        """
        refuse_duplicate_models(self.runs, self.names)
        self._each(lambda run: run.check_model())

    def turns(self) -> Iterator[Run]:
        """Try every model, then yield each run when its turn comes.

        Raises:
            InputError: a model cannot be trained, or is there twice.
        """
        self.check_models()
        for number, (name, run) in enumerate(zip(self.names, self.runs, strict=True)):
            run.display.say(f"model {number + 1} of {len(self.runs)}: {name}")
            run.prepare_workers()
            yield run

    @property
    def service(self) -> Service | None:
        """The service that all runs need besides their workers."""
        return self.runs[0].service

    @service.setter
    def service(self, service: Service | None) -> None:
        self.runs[0].service = service

    def start_service(self) -> None:
        """Start the background service, if its type is known by now."""
        self.runs[0].start_service()

    def close(self) -> None:
        """End all processes of all runs and remove their folders."""
        for run in reversed(self.runs):  # who borrowed ends first
            run.close()

    def _each(self, step: Callable[[Run], Any]) -> None:
        """Run a step for each run; an error names the model."""
        for name, run in zip(self.names, self.runs, strict=True):
            with said_of(name):
                step(run)

    def _read(self, run: Run) -> None:
        if run is not self.runs[0]:
            run.share_data(self.runs[0])
        run.read()

    def _divide(self, run: Run) -> FoldPlan:
        if run is not self.runs[0]:
            run.share_folds(self.runs[0])
        return run.plan

    def _worker_owner(self, number: int) -> Run | None:
        """Return the first earlier run whose workers suit this one."""
        needs = _worker_needs(self.runs[number])
        return next((run for run in self.runs[:number] if _worker_needs(run) == needs), None)


def studies_of(given: Any, by_form: bool = False) -> list[Study]:
    """Return studies that are given as such or as their sections.

    Args:
        given: what should be a list of them.
        by_form: a form has sent them, with empty boxes for what was not chosen.

    Raises:
        InputError: they are no list, or a setting is wrong.
    """
    if isinstance(given, str | Mapping) or not isinstance(given, Sequence):
        raise InputError("studies", "give a list of settings, one entry for each model")
    studies = []
    for number, study in enumerate(given, 1):
        with said_of(f"study {number}"):
            studies.append(study if isinstance(study, Study) else _study_of(study, by_form))
    return studies


def _study_of(sections: Any, by_form: bool) -> Study:
    if not isinstance(sections, Mapping):
        raise InputError("settings", f"{sections!r} are none; give the sections of a study")
    return parse_study(from_form(sections) if by_form else dict(sections))


@contextmanager
def open_comparison(comparison: Comparison) -> Iterator[Comparison]:
    """Make a comparison the current one, and end its processes afterwards."""
    token = _current.set(comparison)
    try:
        yield comparison
    finally:
        _current.reset(token)
        comparison.close()


def current_comparison() -> Comparison | None:
    """Return the comparison that launched the current flow, or None in a deployment."""
    return _current.get()


def _worker_needs(run: Run) -> tuple[Any, ...]:
    """Return the properties that runs must share to share workers."""
    limit = run.study.compute.memory_limit
    return run.identity.needs_tensorflow, run.placement, limit


def _look_at(run: Run) -> Any:
    """Validate source, builder and devices of a run."""
    check_trust(run.study)
    refuse_elsewhere(run.study, "compare.py")
    check_source(run.study.data)
    return run.identity, run.placement
