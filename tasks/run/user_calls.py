"""Call the user's splitter and model in worker processes, so that a crash cannot end the run."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foldproof.tasks.common.errors import InputError, WorkerLost
from foldproof.tasks.config.compute import ComputeSpec
from foldproof.tasks.folds.split.plan import FoldPlan
from foldproof.tasks.machine.devices import place
from foldproof.tasks.workers.protocol import SlotPool
from foldproof.tasks.workers.slots import Slots


def split_in_own_process(
    divide: Callable[..., FoldPlan],
    splitter: str,
    *arguments: Any,
    scratch: Path,
    log: Path | None,
    memory_limit: int | None,
) -> FoldPlan:
    """Divide the rows in a process that does nothing else, whatever the splitter imports.

    Args:
        divide: calls the user's splitter.
        splitter: its name in the settings.
        *arguments: of `divide`.
        scratch: an existing folder for the process.
        log: the file for what it prints, or None for the terminal.
        memory_limit: MiB that it may take, or None.

    Raises:
        InputError: the splitter ended the process.
    """
    alone = place(ComputeSpec(workers=1, device="cpu"))
    slots = Slots(alone, False, scratch, log, memory_limit=memory_limit)
    try:
        return slots.slots[0].run(divide, *arguments)
    except WorkerLost as error:
        problem = f"{splitter} ended the process that called it ({error})"
        raise InputError("split.method", f"{problem}; let it raise an error instead") from None
    finally:
        # First: it would start another process in place of a lost one.
        slots.slots[0].kill_workers()
        slots.stop()


def call_builder_in_worker(
    slots: SlotPool, fresh: bool, builder: str, inspect: Callable[..., Any], *arguments: Any
) -> Any:
    """Call a builder in a worker; a worker that was dead before counts for nothing.

    Args:
        slots: one of them is leased meanwhile.
        fresh: take a new process, in which no other builder was imported.
        builder: its name in the settings.
        inspect: calls it, and returns what was found and a traceback.
        *arguments: of `inspect`.

    Raises:
        InputError: the builder ended two workers.
    """
    slot = slots.lease()
    found: Any = (None, "")
    try:
        if fresh:
            slot.kill_workers()
        with contextlib.suppress(WorkerLost):
            found = slot.run(inspect, *arguments)
        if found[0] is None:
            found = slot.run(inspect, *arguments)
        return found
    except WorkerLost as error:
        problem = f"{builder} ended the worker process that called it ({error})"
        raise InputError("model.builder", problem) from None
    finally:
        if getattr(found[0], "saw_rows", True):
            slot.kill_workers()  # it had rows that are test rows of other folds
        slots.give_back(slot)
