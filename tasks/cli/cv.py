"""The command `foldproof cv`: arguments, output, exit codes, Ctrl-C."""

import logging
import os
import signal
import sys
import threading
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from foldproof.tasks.cli.arguments import Request, read_request
from foldproof.tasks.common.errors import InputError, Interrupted, RunFailed
from foldproof.tasks.common.exit_codes import DONE, FAILED, INCOMPLETE, WRONG_INPUT
from foldproof.tasks.common.places import ROOT
from foldproof.tasks.common.process import collection
from foldproof.tasks.common.process.kept import serves_commands
from foldproof.tasks.run.views.status_line import line

if TYPE_CHECKING:
    from foldproof.tasks.report.result import Result
    from foldproof.tasks.run.protocols import Launchable
    from foldproof.tasks.run.session import Run
    from foldproof.tasks.run.views.progress_view import Verbosity

Work = TypeVar("Work", bound="Launchable")

STOP_TIMEOUT_S = 4.0  # for a stopped run to tell Prefect about it


class FlowCommand(ABC, Generic[Work]):
    """One call of a command that runs a flow, from its arguments to its exit code."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Parse the arguments, then start the processes that take seconds to start.

        All of that before Prefect is imported, which takes seconds, too.
        """
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until there is something to take down
        os.environ.setdefault("DO_NOT_TRACK", "1")
        prepare_process()
        if not serves_commands():
            collection.pause()  # until all is imported that the flow needs
        try:
            self._run: Work = self._read(arguments)
        except InputError as error:
            _refuse(error)
        self._stop = _Stop(self._run)
        self._guarded(self._begin)
        self._run.display.status("starting Prefect")

    @abstractmethod
    def _read(self, arguments: Sequence[str]) -> Work:
        """Parse the arguments into a run that has not started."""

    @abstractmethod
    def _perform(self, flow: Any) -> int:
        """Run the flow, print what came of it, and return the exit code."""

    def _needs_prefect(self) -> bool:
        """Return whether the command runs the Prefect flow."""
        return True

    def _begin(self) -> None:
        if self._needs_prefect():
            from foldproof.tasks.prefect_server.api import Api

            self._run.service = Api(keep=self._run.keeps)
        self._run.begin()

    def finish(self, flow: Any) -> NoReturn:
        """Run the flow and leave with its exit code."""
        collection.go_on()
        code = self._guarded(lambda: self._perform(flow))
        _end_logging()
        self._run.close()
        raise SystemExit(code)

    def _guarded(self, step: Callable[[], Any]) -> Any:
        """Run a step; on any error, stop the run's processes and exit with the right code."""
        try:
            return step()
        except InputError as error:
            self._run.close()
            _refuse(error)
        except RunFailed as error:
            _end_logging()
            self._run.close()
            print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
            raise SystemExit(FAILED) from None
        except BaseException as error:
            self._run.close()
            if not _is_stop(error):
                raise
            raise SystemExit(self._stop.report()) from None


class CvCommand(FlowCommand["Run"]):
    """One call of cv.py, from its arguments to its exit code."""

    def _read(self, arguments: Sequence[str]) -> "Run":
        request = self._request = read_request(arguments)
        from foldproof.tasks.data.sources.read import check_source
        from foldproof.tasks.run.allowlist import check_trust
        from foldproof.tasks.run.session import Run
        from foldproof.tasks.run.views.progress_view import (
            Display,  # what follows takes time; wrong settings need not wait
        )

        check_trust(request.study)
        check_source(request.study.data)
        display = Display(request.verbosity, prints_result=request.only is None)
        return Run(request.study, display, request.refresh, keep=keeps(request.verbosity))

    def _needs_prefect(self) -> bool:
        return self._request.only is None

    def _begin(self) -> None:
        from foldproof.tasks.prefect_server.server import api_is_configured

        if self._needs_prefect() and not api_is_configured():
            stored = self._run.stored_result()  # nobody could see it in Prefect
            if stored is not None:
                self._run.close()
                raise SystemExit(_show_result(stored, self._request))
        super()._begin()

    def _perform(self, flow: Any) -> int:
        if self._request.only is not None:
            return _train_one(self._run, self._request.only)
        return _show_result(flow.launch(self._run), self._request)


def keeps(verbosity: "Verbosity") -> bool:
    """Tell whether processes stay for the next command; not those that print to a terminal."""
    return serves_commands() and verbosity != "verbose"


def _end_logging() -> None:
    """Silence logging: Prefect's threads may still log after the command's last line."""
    logging.raiseExceptions = False
    logging.disable(logging.CRITICAL)
    if "prefect.logging" in sys.modules:
        from foldproof.tasks.prefect_server.prefect_internals import console_handlers

        for handler in console_handlers():  # a record under way is written before what follows
            handler.acquire()
            handler.release()


def exit_code_of(step: Callable[[], int], stopped: str) -> int:
    """Run a command and return its exit code; print errors of the user in one line.

    Args:
        step: does it and returns its code.
        stopped: what a user should know who pressed Ctrl-C.
    """
    prepare_process()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # ends the workers
    try:
        return step()
    except InputError as error:
        line.clear()
        print(" ".join(str(error).split()), file=sys.stderr)
        return WRONG_INPUT
    except RunFailed as error:
        line.clear()
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        line.clear()
        print(f"stopped: {stopped}", file=sys.stderr)
        return 128 + signal.SIGINT
    finally:
        line.clear()


def prepare_process() -> None:
    """Prepare the process of a command: module search path, HOME, warnings."""
    leave_scripts_folder()
    if os.path.expanduser("~") == "~":  # noqa: PTH111  # a user whom nobody knows, in a container
        os.environ["HOME"] = os.sep
    # The run says in its own words what becomes of a home that cannot be written to.
    warnings.filterwarnings("ignore", "Failed to create the Prefect home", UserWarning)


def leave_scripts_folder() -> None:
    """Remove the script's own folder from the module search path."""
    own = (str(ROOT / "flows"), str(Path(sys.executable).parent))
    sys.path[:] = [folder for folder in sys.path if folder not in own]


def _show_result(result: "Result", request: Request) -> int:
    show_failures(result)
    if request.verbosity == "quiet":
        print(result.where)
    else:
        _show(result)
    if not result.n_failed:
        return DONE
    return FAILED if result.n_failed == result.n_folds else INCOMPLETE


def _train_one(run: "Run", only: tuple[int, int]) -> int:
    """Train one fold into the store and print its digests."""
    from foldproof.tasks.run.current_run import launched
    from foldproof.tasks.run.fold_retries import train_without_prefect

    with launched(run):
        run.check()
        jobs = [job for job in run.jobs if (job.repeat, job.fold) == only]
        if not jobs:
            last = run.jobs[-1]
            problem = f"no fold {only[0]}/{only[1]}; the last one is {last.repeat}/{last.fold}"
            raise InputError("--only", problem)
        run.display.start(1)
        record = train_without_prefect(run, jobs[0])
    if record.error is not None:
        print(
            f"fold {only[0]}/{only[1]} failed: {record.error}\n{record.traceback}", file=sys.stderr
        )
        return FAILED
    for name in ("initial", "weights", "predictions"):
        print(f"{name}_sha256".replace("initial_", "initial_weights_"), getattr(record, name))
    print("fold_key", record.key)
    return DONE


def _show(result: "Result") -> None:
    for notice in result.notices:
        print(f"note: {notice}", file=sys.stderr)
    print(result)
    if result.coverage:
        print(result.coverage)
    print(f"report: {result.page if sys.stdout.isatty() else result.where}")


def show_failures(result: "Result") -> None:
    """Print each failed fold, and each traceback once."""
    shown: set[str] = set()
    for repeat, fold, error, trace in result.tracebacks:
        print(f"fold {repeat}/{fold} failed: {error}", file=sys.stderr)
        if trace and error not in shown:
            print(trace.rstrip(), file=sys.stderr)
        shown.add(error)


def _refuse(error: InputError) -> NoReturn:
    line.clear()
    print(" ".join(str(error).split()), file=sys.stderr)
    raise SystemExit(WRONG_INPUT)


def _is_stop(error: BaseException) -> bool:
    """Return whether an exception means that the run was stopped, by Ctrl-C or a signal."""
    prefect = sys.modules.get("prefect.exceptions")  # not imported for this: that takes seconds
    signals = () if prefect is None else (prefect.TerminationSignal,)
    return isinstance(error, (KeyboardInterrupt, Interrupted, *signals))


class _Stop:
    """Signal handler of Ctrl-C and SIGTERM: stop the workers and exit within seconds."""

    def __init__(self, run: "Launchable") -> None:
        self._run, self._code, self._told = run, 128 + signal.SIGTERM, False
        signal.signal(signal.SIGINT, self._interrupt)
        signal.signal(signal.SIGTERM, self._interrupt)  # Prefect has its own while the flow runs
        run.on_stop = self._end_soon

    def report(self) -> int:
        """Print how many folds are stored, and return the exit code."""
        self._run.display.stop()
        self._tell()
        return self._code

    def _tell(self) -> None:
        """Print how many folds are stored, once."""
        if self._told:
            return
        self._told = True
        line.clear()
        finished = sum(record.error is None for record in tuple(self._run.records.values()))
        text = f"stopped: {finished} finished folds are stored; the same command goes on from there"
        print(text, file=sys.stderr, flush=True)

    def _interrupt(self, number: int, frame: FrameType | None) -> NoReturn:
        self._code = 128 + number
        self._end_soon()
        raise KeyboardInterrupt

    def _end_soon(self) -> None:
        """Exit after a timeout even if Prefect or a library blocks."""
        timer = threading.Timer(STOP_TIMEOUT_S, self._leave)
        timer.daemon = True
        timer.start()

    def _leave(self) -> NoReturn:
        """Exit at once, even if stderr is closed."""
        try:
            self._tell()
        finally:
            os._exit(self._code)
