"""Run trials, each in a fresh process, from fork servers with the environment it needs."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, TimeoutError, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from foldproof.tasks.audit.trial import Trial, TrialOutcome
from foldproof.tasks.audit.worker import run_trial
from foldproof.tasks.run.session import Run
from foldproof.tasks.workers import in_worker
from foldproof.tasks.workers.fork_server import ForkServerContext
from foldproof.tasks.workers.slot import describe_end
from foldproof.tasks.workers.slots import Slots

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
MAX_SERVERS = 2  # at a time: each holds TensorFlow, and loading it takes a core for seconds


@dataclass(frozen=True)
class Environment:
    """The settings that a fork server fixes for all of its processes.

    Attributes:
        threads: of BLAS.
        onednn: as in Conditions.
        alone: a server of its own although another has the same environment, so that
            nothing which processes inherit, such as the order of sets, is shared.
    """

    threads: int
    onednn: bool | None = None
    alone: bool = False


class Server:
    """A fork server and the trials that run from it, one at a time, each in a new process."""

    def __init__(self, run: Run, environment: Environment, trials: Sequence[Trial]) -> None:
        """Start the server, unless the run has one like it, and queue the trials."""
        self._own: ForkServerContext | None = None
        self._pool = ProcessPool(
            max_workers=1,
            max_tasks=1,
            initializer=in_worker.set_up,
            initargs=(run.placement.devices[0].visible, Path(os.getcwd())),
            context=self._context(run, environment),
        )
        needs, limit = run.identity.needs_tensorflow, run.study.compute.fold_timeout
        self.pending: dict[Any, Trial] = {
            self._pool.schedule(run_trial, args=(trial, needs), timeout=limit): trial
            for trial in trials
        }

    def take_finished(self) -> Iterator[tuple[Trial, TrialOutcome]]:
        """Yield the trials that have ended since the last call."""
        for future in [future for future in self.pending if future.done()]:
            yield self.pending.pop(future), _outcome(future)

    def stop(self) -> None:
        """Kill the processes, whatever they do."""
        for future in self.pending:
            future.cancel()
        self._pool.stop()  # type: ignore[no-untyped-call]
        self._pool.join()
        if self._own is not None:
            self._own.stop()
            self._own = None

    def _context(self, run: Run, environment: Environment) -> ForkServerContext:
        """Return the run's own fork server where it has the environment, else a new one's."""
        usual = Environment(run.placement.numerics.threads)
        if environment == usual and isinstance(run.slots, Slots):
            return run.slots.context
        return self._start(run, environment)

    def _start(self, run: Run, environment: Environment) -> ForkServerContext:
        needs = run.identity.needs_tensorflow
        onednn = environment.onednn
        deviations = {} if onednn is None else {ONEDNN: str(int(onednn))}
        self._own = ForkServerContext(needs, environment.threads, run.scratch, run.log, deviations)
        return self._own


def run_trials(
    run: Run, trials: Mapping[Environment, Sequence[Trial]]
) -> Iterator[tuple[Trial, TrialOutcome]]:
    """Run trials, a few environments at a time, and yield each with its outcome."""
    waiting, running = list(trials.items()), list[Server]()
    on_gpu = run.placement.numerics.device == "gpu"  # all trials use the first one
    lanes = 1 if on_gpu else min(MAX_SERVERS, len(run.placement.devices))
    with contextlib.ExitStack() as stack:
        while waiting or running:
            while waiting and len(running) < lanes:
                running.append(Server(run, *waiting.pop(0)))
                stack.callback(running[-1].stop)
            wait([f for server in running for f in server.pending], return_when=FIRST_COMPLETED)
            for server in tuple(running):
                yield from server.take_finished()
                if not server.pending:
                    server.stop()
                    running.remove(server)


def _outcome(future: Any) -> TrialOutcome:
    try:
        outcome: TrialOutcome = future.result()
    except TimeoutError:
        return TrialOutcome(error="it ran past compute.fold_timeout")
    except (ProcessExpired, BrokenProcessPool, EOFError) as error:
        return TrialOutcome(error=describe_end(error))
    return outcome
