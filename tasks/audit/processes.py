"""Run trials, each in a fresh process, from worker hosts with the environment it needs."""

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from foldproof.tasks.audit.trial import Trial, TrialOutcome
from foldproof.tasks.audit.worker import run_trial
from foldproof.tasks.run.session import Run
from foldproof.tasks.workers import in_worker
from foldproof.tasks.workers.host_client import CallTimeout, Worker, WorkerEnded, WorkerHost
from foldproof.tasks.workers.slot import describe_end
from foldproof.tasks.workers.slots import Slots

ONEDNN = "TF_ENABLE_ONEDNN_OPTS"
MAX_SERVERS = 2  # at a time: each holds TensorFlow, and loading it takes a core for seconds


@dataclass(frozen=True)
class Environment:
    """The settings that a worker host fixes for all of its processes.

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
    """A worker host and the trials that run from it, one at a time, each in a new process."""

    def __init__(self, run: Run, environment: Environment, trials: Sequence[Trial]) -> None:
        """Start the host, unless the run has one like it, and queue the trials."""
        usual = Environment(run.placement.numerics.threads)
        self._own: WorkerHost | None = None
        self._host = (
            run.slots.host
            if environment == usual and isinstance(run.slots, Slots)
            else self._start(run, environment)
        )
        self._run, self._folder = run, Path(os.getcwd())
        self._worker: Worker | None = None
        self._thread = ThreadPoolExecutor(1)
        self.pending: dict[Future[TrialOutcome], Trial] = {
            self._thread.submit(self._perform, trial): trial for trial in trials
        }

    def take_finished(self) -> Iterator[tuple[Trial, TrialOutcome]]:
        """Yield the trials that have ended since the last call."""
        for future in [future for future in self.pending if future.done()]:
            yield self.pending.pop(future), future.result()

    def stop(self) -> None:
        """Kill the processes, whatever they do."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._worker is not None:
            self._worker.kill()
        if self._own is not None:
            self._own.stop()

    def _perform(self, trial: Trial) -> TrialOutcome:
        self._worker = worker = self._host.start_worker()
        worker.begin(in_worker.set_up, self._run.placement.devices[0].visible, self._folder)
        needs, limit = self._run.identity.needs_tensorflow, self._run.study.compute.fold_timeout
        try:
            return worker.call(run_trial, trial, needs, timeout=limit)
        except CallTimeout:
            return TrialOutcome(error="it ran past compute.fold_timeout")
        except WorkerEnded as ended:
            return TrialOutcome(error=describe_end(ended.exit_code))
        finally:
            worker.kill()

    def _start(self, run: Run, environment: Environment) -> WorkerHost:
        deviations = {} if environment.onednn is None else {ONEDNN: str(int(environment.onednn))}
        needs = run.identity.needs_tensorflow
        self._own = WorkerHost(needs, environment.threads, run.scratch, run.log, deviations)
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
