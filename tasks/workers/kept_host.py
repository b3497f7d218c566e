"""What a Python process keeps of its workers for its next call: the host, and idle processes."""

import contextlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from foldproof.tasks.common.process.kept import environment, keep, take
from foldproof.tasks.store.scratch import make_scratch, remove_scratch
from foldproof.tasks.user_code.opened_files.watch import signature_of
from foldproof.tasks.workers.host_client import CallTimeout, Worker, WorkerEnded, WorkerHost
from foldproof.tasks.workers.in_worker import Sources, user_sources

ANSWER_TIMEOUT_S = 5.0  # of an idle worker


@dataclass(frozen=True)
class _KeptWorker:
    """An idle worker, with its compiled model, of an earlier call.

    Attributes:
        worker: the process.
        purpose: of all that it did.
        sources: the user's modules that it imported.
    """

    worker: Worker
    purpose: str
    sources: Sources

    def serves(self, purpose: str) -> bool:
        """Tell whether it would do as a new process does."""
        unchanged = all(signature_of(path) == known for path, known in self.sources)
        return self.purpose == purpose and unchanged


@dataclass(frozen=True)
class KeptHost:
    """A worker host for several calls of one Python process, with idle workers.

    Attributes:
        key: what another call must have in common to use it.
        host: the host.
        folder: its scratch folder.
    """

    key: Hashable
    host: WorkerHost
    folder: Path
    _workers: dict[str, _KeptWorker] = field(default_factory=dict)

    @classmethod
    def like(
        cls, tensorflow: bool, threads: int, on_terminal: bool, libraries: Sequence[str]
    ) -> "KeptHost":
        """Take a kept host with this environment, or start one."""
        key = ("worker host", tensorflow, threads, on_terminal, environment())
        found: KeptHost | None = take(key)
        if found is not None:
            return found
        folder = make_scratch()
        log = None if on_terminal else folder / "libraries.log"
        host = WorkerHost(tensorflow, threads, folder, log, libraries=libraries)
        return cls(key, host, folder)

    def __str__(self) -> str:
        """Say what it is."""
        count = len(self._workers)
        return f"a worker host with {count} idle worker{'s' * (count != 1)}"

    def has_workers(self) -> bool:
        """Tell whether an earlier call left some."""
        return bool(self._workers)

    def take_in(self, slot: str, worker: Worker, purpose: str) -> None:
        """Keep an idle worker; one that cannot say what it imported, or did nothing, is killed.

        Args:
            slot: the name of its slot.
            worker: the process.
            purpose: of what it did, or empty.
        """
        sources = None
        with contextlib.suppress(WorkerEnded, CallTimeout):
            sources = worker.call(user_sources, timeout=ANSWER_TIMEOUT_S) if purpose else None
        if sources is None:
            worker.kill()
        else:
            self._workers[slot] = _KeptWorker(worker, purpose, sources)

    def give_out(self, slot: str, purpose: str) -> Worker | None:
        """Return the worker of a slot if it would do as a new process does; else kill it."""
        left = self._workers.pop(slot, None)
        if left is None:
            return None
        if left.serves(purpose):
            return left.worker
        left.worker.kill()
        return None

    def keep(self) -> None:
        """Keep it for the next call."""
        keep(self.key, self, self.stop)

    def stop(self) -> None:
        """End it and its workers."""
        self.host.stop()
        remove_scratch(self.folder)
